import Model
import Recovery
import Redis
import Repository
import Segments
import TestKit
import Testing

/// An archive of a Redis in memory: a base backup of nothing at position 0, and commands of one
/// size with their times of arrival.
struct RedisArchive {
    static let source = SourceID("cache")!
    static let style = OffsetPositionStyle()
    /// Of the first replication id.
    static let parent = TimelineID("aaaa")
    /// Of the one that a promoted server goes on with.
    static let child = TimelineID("bbbb")

    let repository = ArchiveRepository(MemoryStore())
    private let time = SimulatedTime()

    init() throws {
        var random = SeededRandom(seed: 5)
        try repository.openOrCreate(now: Self.at(0), random: &random)
        try repository.putDescriptor(
            SourceDescriptor(
                source: Self.source, kind: .redis, identity: "aaaa", majorVersion: "7.0",
                segmentBytes: 1 << 24, created: Self.at(0)))
        try repository.putManifest(
            BaseBackupDescriptor(
                id: "b0", source: Self.source, kind: .redis, timeline: Self.parent, start: 0,
                end: 0, started: Self.at(0), finished: Self.at(0), bytes: 100, storedBytes: 50,
                files: [], server: ServerFacts(identity: "aaaa", version: "7.0.15"),
                warnings: []))
    }

    /// A moment, by its seconds.
    static func at(_ seconds: Double) -> CommitTime {
        CommitTime(microseconds: Int64((seconds * 1e6).rounded()))
    }

    /// All of one size.
    static func command(_ key: Int) -> [UInt8] {
        let digits = String(key)
        return resp(["SET", String(repeating: "0", count: 6 - digits.count) + digits, "v"])
    }

    static let size = UInt64(command(0).count)

    /// Archives commands that arrived one after the other at these seconds, from the position of
    /// the command `first` on.
    ///
    /// - Parameters:
    ///   - flushed: How many commands lie in one frame.
    ///   - made: When each may have been made at the earliest; default: when it came.
    ///   - fork: The commands that the history has in common with the parent's.
    ///   - bytes: How long a segment becomes.
    ///   - state: The database selected all along; empty where nobody knows.
    func write(
        _ seconds: [Double], on timeline: TimelineID = parent,
        first: Int = 0, fork: Int? = nil, bytes: UInt64 = 1 << 24, flushed: Int = .max,
        made: [Double]? = nil, state: String = "0"
    ) throws {
        let writer = try SegmentWriter(
            source: Self.source, kind: .redis, style: Self.style, store: repository.store,
            options: SegmentWriterOptions(rotation: .size(bytes: bytes, age: 3600)), time: time,
            key: { Layout.segment(Self.source, Self.style, $0) },
            attachKey: { Layout.document(Self.source, Self.style, $0, $1) })
        defer { writer.close() }
        if let fork {
            let left = Position(timeline: Self.parent, ordinal: UInt64(fork) * Self.size)
            try writer.attach(
                HistoryDocument.name(timeline), timeline: timeline,
                HistoryDocument(ancestors: [left]).bytes)
        }
        let start = UInt64(first) * Self.size
        try writer.begin(
            StreamOpening(
                descriptor: try #require(try repository.descriptor(Self.source)),
                start: Position(timeline: timeline, ordinal: start), serverVersion: "7.0.15",
                sourceEnd: start, state: state))
        for (number, second) in seconds.enumerated() {
            let place = writer.received
            let command = Self.command(first + number)
            try writer.append(command.span.bytes, at: place)
            try writer.note(
                HistoryEntry(
                    event: .commit(transaction: 0), first: place, last: writer.received,
                    time: Self.at(second), earliest: made.map { Self.at($0[number]) }))
            try writer.edge(writer.received, state: state)
            if number % flushed == flushed - 1 { try writer.flush() }
        }
        try writer.flush()
        try writer.settle()
        try repository.putWatermark(
            Self.source,
            Watermark(
                timeline: timeline, state: .streaming, received: writer.received,
                archived: writer.received, restorableTo: Self.at(10_000), provedAt: nil,
                written: Self.at(10_000)))
    }

    /// Copies what another sidecar archived of the first history.
    func takeStream(of other: RedisArchive) throws {
        let folder = Layout.streamFolder(Self.source, Self.style)
        for info in try other.repository.store.list(folder) {
            let reader = try other.repository.store.open(info.key, at: 0)
            let writer = try repository.store.create(info.key)
            while case let bytes = try reader.read(1 << 20), !bytes.isEmpty {
                try writer.write(bytes)
            }
            try writer.finish()
            reader.close()
        }
        let mark = try #require(try other.repository.watermark(Self.source))
        try repository.putWatermark(Self.source, mark)
    }

    /// Puts something else in the place of a sealed segment, counted from the oldest.
    func damageSealed(_ number: Int) throws {
        let folder = Layout.streamFolder(Self.source, Self.style)
        let sealed = try repository.store.list(folder).map(\.key)
            .filter { $0.name.hasSuffix(".lz4") }.sorted { $0.path < $1.path }
        let key = try #require(sealed.dropFirst(number).first)
        try repository.store.delete(key)
        let writer = try repository.store.create(key)
        try writer.write(Array("nothing".utf8))
        try writer.finish()
    }

    func plan(
        _ target: RecoveryTarget, timeline: TimelineID? = nil
    ) throws(TidemarkError) -> RestorePlan {
        try Restore(repository, RedisReplayer(), clock: time).plan(
            CopyRequest(
                source: Self.source, target: target, destination: "/tmp/copy",
                repositoryURL: "memory:", program: "tidemark", timeline: timeline,
                server: "redis://127.0.0.1:1"))
    }

    /// How many commands a restore to this moment holds.
    func commands(at seconds: Double) throws -> UInt64? {
        try plan(.time(Self.at(seconds))).stop.map { $0.end / Self.size }
    }
}
