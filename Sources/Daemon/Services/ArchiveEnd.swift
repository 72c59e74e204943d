import Catalog
import Model
import Repository
import Segments

/// Where the archive of a source ends, and what is missing before that.
struct ArchiveEnd {
    /// What a stream needs to go on there.
    private(set) var resume: ResumePoint
    /// What is missing although the archive has history behind it; the stream goes on at its start.
    private(set) var hole: PositionRange?
    /// Nil before first contact, and where holes are not looked for.
    private var snapshot: CatalogSnapshot?

    /// Reads names, documents and the open segments.
    ///
    /// An open segment counts up to its last whole frame; what a crash tore off behind it was never
    /// acknowledged.
    ///
    /// - Parameters:
    ///   - known: nil before first contact.
    ///   - lost: start where the source can, whatever the archive's end.
    ///   - filled: where the session before has filled a hole. The archive goes on behind it, but
    ///     what it holds there is to be compared with what the source sends.
    init(
        _ known: SourceDescriptor?, _ repository: ArchiveRepository, _ room: any DatabaseRoom,
        lost: Bool, filled: Position?
    ) throws(TidemarkError) {
        resume = ResumePoint(descriptor: known, end: nil, skipsLostHistory: lost)
        guard let known else { return }
        guard known.kind == .postgres else {
            resume = try Self.resumePoint(
                known, repository, room.style(segmentBytes: known.segmentBytes), lost: lost)
            return
        }
        let reader = CatalogReader(repository, try Rooms.replayer(known.kind))
        let read = try reader.read(known.source, withCommits: false)
        let continuation = read.continuation()
        snapshot = read
        hole = continuation?.hole
        resume.end = filled ?? continuation?.end
        // A server that was promoted from an older timeline passes by the newest one.
        resume.others = continuation?.others ?? []
        resume.archived = ArchivedBytes {
            (range, body) throws(TidemarkError) in
            guard let segments = read.segments(holding: range) else { return false }
            for segment in segments {
                guard try Self.lend(range, of: segment, repository, body) else { return false }
            }
            return true
        }
    }

    /// The part of a segment that lies in `range`; false when it is not there, or not whole.
    private static func lend(
        _ range: PositionRange, of segment: SegmentListing, _ repository: ArchiveRepository,
        _ body: (RawSpan) throws(TidemarkError) -> Void
    ) throws(TidemarkError) -> Bool {
        var position = max(range.first, segment.range.first)
        let last = min(range.last, segment.range.last)
        do throws(TidemarkError) {
            let reader = try SegmentReader(repository.store, segment.key)
            defer { reader.close() }
            reader.skip(to: position - segment.range.first)
            while position < last {
                let more = try reader.read { (bytes) throws(TidemarkError) in
                    let count = Int(min(UInt64(bytes.byteCount), last - position))
                    try body(bytes.extracting(0..<count))
                    position += UInt64(count)
                }
                if !more { return false }
            }
            return true
        } catch let error where error.code == .archiveDamaged || error.code == .notFound {
            return false
        }
    }

    /// What was lost when the stream could only begin at `start`.
    func lost(to start: Position) -> [PositionRange] {
        guard let end = resume.end else { return [] }
        if let snapshot { return snapshot.missing(from: end, to: start) }
        guard start.timeline != end.timeline || start.ordinal > end.ordinal else { return [] }
        return [
            PositionRange(
                timeline: end.timeline, first: end.ordinal, last: max(end.ordinal, start.ordinal))
        ]
    }
}

// MARK: streams without a fixed order of timelines

extension ArchiveEnd {
    private static func resumePoint(
        _ descriptor: SourceDescriptor, _ repository: ArchiveRepository,
        _ style: any PositionStyle, lost: Bool
    ) throws(TidemarkError) -> ResumePoint {
        var resume = ResumePoint(descriptor: descriptor, end: nil, skipsLostHistory: lost)
        let listing = try repository.stream(descriptor.source, style)
        let reader = TimelineReader(repository, try Rooms.replayer(descriptor.kind))
        let marked = try repository.watermark(descriptor.source)
        let stored = try ends(listing, repository)
        let gaps = try repository.gaps(descriptor.source)
        var known: [TimelineID: UInt64] = [:]
        for (timeline, end) in stored { known[timeline] = behind(end, on: timeline, gaps) }
        // A stream that has carried nothing yet left no segment, but was joined all the same; one
        // whose segment was removed is wanted from the newest base backup on. What the watermark
        // says counts only where nothing else does: bytes that are not there are asked for again.
        let backups = try repository.backups(descriptor.source)
        resume.copies = gaps.filter { $0.nextTimeline != nil }.map(\.found)
        for backup in backups where stored[backup.timeline] == nil {
            known[backup.timeline] = max(backup.end, known[backup.timeline] ?? 0)
        }
        if let marked, known[marked.timeline] == nil {
            known[marked.timeline] = marked.archived
        }
        let newest = TimelineOrder(ancestors: try reader.ancestors(listing)).newest(
            of: known.keys.sorted(), marked: marked?.timeline)
        for (timeline, ordinal) in known {
            let end = Position(timeline: timeline, ordinal: ordinal)
            if timeline == newest { resume.end = end } else { resume.others.append(end) }
        }
        guard let end = resume.end else { return resume }
        if let marked, marked.timeline == end.timeline, marked.archived <= end.ordinal {
            resume.proved = marked.restorableTo
        }
        if stored[end.timeline] == end.ordinal {
            let segments = listing.segments[end.timeline] ?? []
            resume.tail = try tail(segments, end.ordinal, repository)
        }
        for (name, key) in listing.documents[end.timeline] ?? [:] {
            resume.documents[name] = try reader.content(key)
        }
        return resume
    }

    /// How far the recorded gaps that begin at or before `end` say that this history was lost.
    private static func behind(
        _ end: UInt64, on timeline: TimelineID, _ gaps: [Gap]
    ) -> UInt64 {
        var reached = end
        for gap in gaps.sorted(by: { $0.first < $1.first })
        where gap.timeline == timeline && gap.nextTimeline ?? timeline == timeline
            && gap.first <= reached
        {
            reached = max(reached, gap.last)
        }
        return reached
    }

    private static func end(
        of last: SegmentListing, _ repository: ArchiveRepository
    ) throws(TidemarkError) -> UInt64 {
        guard last.state == .open else { return last.range.last }
        return try SegmentReader.survey(
            repository.store, last.key, first: last.range.first, bytes: 0
        ).reach(from: last.range.first)
    }

    private static func ends(
        _ listing: StreamListing, _ repository: ArchiveRepository
    ) throws(TidemarkError) -> [TimelineID: UInt64] {
        var ends: [TimelineID: UInt64] = [:]
        for (timeline, segments) in listing.segments {
            if let last = segments.last { ends[timeline] = try end(of: last, repository) }
        }
        return ends
    }

    /// The bytes from the newest edge that the archive knows by itself: the start of the last
    /// segment that holds anything.
    private static func tail(
        _ segments: [SegmentListing], _ end: UInt64, _ repository: ArchiveRepository
    ) throws(TidemarkError) -> StreamTail? {
        guard let last = segments.last(where: { $0.range.first < end }) else { return nil }
        let store = repository.store
        let state: String?
        if last.state == .open {
            state = try SegmentReader.survey(store, last.key, first: last.range.first, bytes: 0)
                .state
        } else {
            let reader = try SegmentReader(store, last.key)
            defer { reader.close() }
            state = reader.descriptor?.state
        }
        return StreamTail(first: last.range.first, state: state ?? "") {
            (body) throws(TidemarkError) in
            let reader = try SegmentReader(store, last.key)
            defer { reader.close() }
            while try reader.read(body) {}
        }
    }
}
