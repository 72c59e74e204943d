import Model
import Platform
import Segments
import TestKit
import Testing

/// One source's archive in a store, and a stream that plays a `History` into it.
struct Archive: Sendable {
    var store: any ObjectStore
    var rotation: RotationRule = .aligned(bytes: 1 << 20)
    var history = History()
    var timeline = TimelineID("1")
    var options: SegmentWriterOptions
    var time = SimulatedTime()

    static let source = SourceID("ledger")!

    init(_ store: any ObjectStore, _ rotation: RotationRule = .aligned(bytes: 1 << 20)) {
        self.store = store
        self.rotation = rotation
        options = SegmentWriterOptions(rotation: rotation)
        options.chunks = 4
    }

    var style: PlainStyle {
        switch rotation {
        case .aligned(let bytes): PlainStyle(segmentBytes: bytes)
        case .size: PlainStyle(segmentBytes: nil)
        }
    }

    func key(_ range: PositionRange) -> ObjectKey {
        ObjectKey("ledger/wal/\(range.timeline)/" + style.segmentName(range))
    }

    func writer() throws(TidemarkError) -> SegmentWriter {
        let archive = self
        return try SegmentWriter(
            source: Self.source, kind: .postgres, style: style, store: store, options: options,
            time: time, key: { archive.key($0) },
            attachKey: { ObjectKey("ledger/wal/\($0)/\($1)") })
    }

    func opening(_ start: UInt64) -> StreamOpening {
        StreamOpening(
            descriptor: SourceDescriptor(
                source: Self.source, kind: .postgres, identity: "7", majorVersion: "15",
                segmentBytes: rotation.bytes, created: time.wall()),
            start: Position(timeline: timeline, ordinal: start), serverVersion: "150006",
            sourceEnd: start)
    }

    /// Appends the history from where the writer stands to `last`, in pieces, with its commits.
    ///
    /// - Parameter since: Commits that start before this are not seen, as by a scanner that starts
    ///   here.
    func play(
        _ writer: SegmentWriter, to last: UInt64, pieces: Int = 100_000, since: UInt64 = 0
    ) throws(TidemarkError) {
        while writer.received < last {
            let first = writer.received
            let end = min(last, first + UInt64(pieces))
            let bytes = history.bytes(first, end)
            try writer.append(bytes.span.bytes, at: first)
            for entry in history.commits(first, end) where entry.first >= since {
                try writer.note(entry)
            }
            // The number stands for what a room knows of the place.
            try writer.edge(end, state: String(end % 16))
        }
    }

    // MARK: what is there

    struct Stored {
        var range: PositionRange
        var key: ObjectKey
        var isSealed: Bool
    }

    /// Segments by position; of one that is both sealed and open, both, the sealed one first.
    func stored() throws(TidemarkError) -> [Stored] {
        var found: [Stored] = []
        for info in try store.list("ledger/wal/\(timeline)/") {
            let name = info.key.name
            guard let suffix = [".partial", ".lz4", ".gz"].first(where: name.hasSuffix),
                let range = style.parseSegmentName(
                    String(name.dropLast(suffix.count)), timeline: timeline)
            else { continue }
            found.append(Stored(range: range, key: info.key, isSealed: suffix != ".partial"))
        }
        return found.sorted { ($0.range.first, $0.isSealed ? 0 : 1) < ($1.range.first, 1) }
    }

    /// Where the archive ends.
    func end() throws(TidemarkError) -> UInt64 {
        guard let last = try stored().last else { return 0 }
        return last.isSealed ? last.range.last : last.range.first + UInt64(try read(last.key).count)
    }

    func read(_ key: ObjectKey) throws(TidemarkError) -> [UInt8] {
        let reader = try SegmentReader(store, key)
        defer { reader.close() }
        return try reader.readAll()
    }

    /// Checks every byte, checksum, chain and index of what is stored, up to `end`.
    func checkEverything(from first: UInt64 = 0, to end: UInt64) throws {
        var position = first
        var previous: String?
        for segment in try stored() {
            try #require(segment.range.first == position, "a hole before \(segment.key)")
            let content = try read(segment.key)
            #expect(content == history.bytes(position, position + UInt64(content.count)))
            if segment.isSealed {
                previous = try checkDescriptor(segment, previous)
            }
            position += UInt64(content.count)
        }
        #expect(position == end)
    }

    private func emptyIndex(_ first: UInt64) -> SegmentIndex {
        switch rotation {
        case .aligned(let bytes): SegmentIndex(first: first, bytes: bytes)
        case .size: SegmentIndex(first: first)
        }
    }

    private func checkDescriptor(_ segment: Stored, _ previous: String?) throws -> String {
        let reader = try SegmentReader(store, segment.key)
        defer { reader.close() }
        let descriptor = try #require(reader.descriptor)
        #expect(descriptor.range == segment.range)
        #expect(descriptor.previousSHA256 == previous)
        #expect(descriptor.kind == .postgres && descriptor.serverVersion == "150006")
        let commits = history.commits(segment.range.first, segment.range.last)
        // A record that straddles the place where a stream was resumed is not seen whole.
        let seen = commits.filter { $0.first >= segment.range.first }
        let isKnown = [commits, seen].contains { expected in
            var index = emptyIndex(segment.range.first)
            for entry in expected { index.add(entry) }
            return descriptor.index == index.stretches
                && descriptor.firstCommit == expected.map(\.time).min()
                && descriptor.lastCommit == expected.map(\.time).max()
        }
        #expect(
            isKnown,
            """
            the index of \(segment.key) is not that of its content: \
            \(difference(descriptor.index, commits, from: segment.range.first))
            """)
        return descriptor.sha256
    }

    /// The first stretch that is another one, beside what it should be.
    private func difference(
        _ found: [TimeIndexEntry], _ commits: [HistoryEntry], from first: UInt64
    ) -> String {
        var index = emptyIndex(first)
        for entry in commits { index.add(entry) }
        let wanted = index.stretches
        let place = zip(found, wanted).enumerated().first { $0.element.0 != $0.element.1 }
        guard let place else { return "\(found.count) stretches instead of \(wanted.count)" }
        return "of \(found.count) and \(wanted.count), number \(place.offset): \(place.element)"
    }
}
