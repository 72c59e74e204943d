package import Model
import Segments

/// One segment as its name claims it; nothing of it has been read.
package struct SegmentListing: Hashable, Sendable {
    package enum State: Hashable, Sendable { case sealed, open }

    package var range: PositionRange
    package var key: ObjectKey
    package var state: State
    /// Size of the stored file.
    package var storedBytes: UInt64

    package init(range: PositionRange, key: ObjectKey, state: State, storedBytes: UInt64) {
        self.range = range
        self.key = key
        self.state = state
        self.storedBytes = storedBytes
    }

    /// What a sealed segment's footer says otherwise than its name; nil when they agree.
    package func contradiction(
        _ footer: SegmentDescriptor, of descriptor: SourceDescriptor
    ) -> String? {
        if footer.source != descriptor.source || footer.kind != descriptor.kind {
            return "its footer belongs to \(footer.kind) \(footer.source)"
        }
        guard footer.range == range else {
            return "its footer speaks of another range than its name: timeline "
                + "\(footer.timeline), \(footer.first) to \(footer.last)"
        }
        // Positions of these count bytes.
        if descriptor.kind != .mongodb, footer.bytes != footer.range.length {
            return "its footer claims \(footer.bytes) bytes for a range of \(footer.range.length)"
        }
        return nil
    }
}

/// The names of one source's stream folder, parsed.
package struct StreamListing: Sendable {
    /// By timeline, ascending by position; of a range that is both sealed and open, only the
    /// sealed.
    package var segments: [TimelineID: [SegmentListing]] = [:]
    /// Documents of a timeline (history files) by plain name, `00000002.history`.
    package var documents: [TimelineID: [String: ObjectKey]] = [:]

    /// Damaged open segments that a sidecar has copied aside.
    package var setAside: [ObjectKey] = []

    /// An empty listing.
    package init() {}

    package var timelines: [TimelineID] { segments.keys.sorted() }
}

extension ArchiveRepository {
    /// Lists the stream of a source. One listing of the store; reads no content.
    package func stream(
        _ source: SourceID, _ style: any PositionStyle
    ) throws(TidemarkError) -> StreamListing {
        let prefix = Layout.streamFolder(source, style)
        var listing = StreamListing()
        for info in try store.list(prefix) {
            let parts = info.key.path.dropFirst(prefix.count).split(separator: "/")
            guard parts.count == 2 else { continue }
            listing.add(
                info, timeline: TimelineID(String(parts[0])), file: String(parts[1]), style)
        }
        for timeline in listing.segments.keys { listing.order(timeline) }
        return listing
    }
}

extension StreamListing {
    /// Where sealed segments that follow each other by their names do not touch.
    var holes: Set<PositionRange> {
        var holes: Set<PositionRange> = []
        for (timeline, segments) in segments {
            var reached = segments.first?.range.first ?? 0
            for segment in segments {
                if segment.range.first > reached {
                    holes.insert(
                        PositionRange(
                            timeline: timeline, first: reached, last: segment.range.first))
                }
                reached = max(reached, segment.range.last)
            }
        }
        return holes
    }

    fileprivate mutating func add(
        _ info: ObjectInfo, timeline: TimelineID, file: String, _ style: any PositionStyle
    ) {
        if SetAside.isOne(file) {
            setAside.append(info.key)
            return
        }
        let (name, state) = Self.split(file)
        if let range = style.parseSegmentName(name, timeline: timeline) {
            segments[timeline, default: []].append(
                SegmentListing(
                    range: range, key: info.key, state: state, storedBytes: info.size))
        } else if state == .sealed {
            documents[timeline, default: [:]][name] = info.key
        }
    }

    fileprivate mutating func order(_ timeline: TimelineID) {
        var kept: [SegmentListing] = []
        let sorted = (segments[timeline] ?? []).sorted {
            ($0.range.first, $0.state == .sealed ? 0 : 1)
                < ($1.range.first, $1.state == .sealed ? 0 : 1)
        }
        for segment in sorted {
            // Where a name does not tell the end while a segment is open, its start must do.
            let isKnown = kept.last.map { last in
                last.range == segment.range
                    || segment.state == .open && last.range.first == segment.range.first
            }
            if isKnown != true { kept.append(segment) }
        }
        segments[timeline] = kept
    }

    /// Takes the suffix off: `X.partial` is open, `X.lz4` and `X.gz` are sealed.
    private static func split(_ file: String) -> (String, SegmentListing.State) {
        for suffix in [".lz4", ".gz"] where file.hasSuffix(suffix) {
            return (String(file.dropLast(suffix.count)), .sealed)
        }
        if file.hasSuffix(Layout.partialSuffix) {
            return (String(file.dropLast(Layout.partialSuffix.count)), .open)
        }
        return (file, .sealed)
    }
}
