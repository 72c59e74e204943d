import Model
import Platform
import Segments
import TestKit

@testable import Repository

/// An archive in memory, whole and sound: five sealed segments and an open one, a base backup with
/// a tablespace, a restore point. Tests damage it.
struct SmallArchive: Sendable {
    static let source = BackupFixture.ledger
    static let style = SmallStyle()
    static let one = TimelineID("1")
    static let two = TimelineID("2")
    static let size = SmallStyle.segmentBytes
    /// Where timeline 1 ends: inside its sixth segment.
    static let end = 5 * size + 1000

    let memory = MemoryStore()
    let store: FaultyStore
    let time = SimulatedTime()

    var repository: ArchiveRepository { ArchiveRepository(store) }

    init(compression: Compression = .lz4) throws {
        store = FaultyStore(memory)
        var random = SeededRandom(seed: 5)
        try repository.openOrCreate(now: time.wall(), random: &random)
        try repository.putDescriptor(Self.descriptor)
        let writer = try writer(compression)
        try writer.begin(opening(Position(timeline: Self.one, ordinal: 0)))
        try Self.send(writer, 0..<Self.end)
        try writer.settle()
        writer.close()
        try putWatermark(Self.one, Self.end)
        try repository.putPoint(
            Self.source,
            RestorePoint(
                name: "before the party", timeline: Self.one, position: 77, time: time.wall()))
        try takeBackup()
    }

    static let descriptor = SourceDescriptor(
        source: source, kind: .postgres, identity: "7001", majorVersion: "15",
        segmentBytes: size, created: BackupFixture.noon)

    func opening(_ start: Position) -> StreamOpening {
        StreamOpening(
            descriptor: Self.descriptor, start: start, serverVersion: "150020",
            sourceEnd: start.ordinal)
    }

    func writer(_ compression: Compression = .lz4) throws(TidemarkError) -> SegmentWriter {
        var options = SegmentWriterOptions(rotation: .aligned(bytes: Self.size))
        options.compression = compression
        return try SegmentWriter(
            source: Self.source, kind: .postgres, style: Self.style, store: store,
            options: options, time: time,
            key: { Layout.segment(Self.source, Self.style, $0) },
            attachKey: { Layout.document(Self.source, Self.style, $0, $1) })
    }

    /// The same position always holds the same byte.
    static func send(_ writer: SegmentWriter, _ range: Range<UInt64>) throws(TidemarkError) {
        var bytes = [UInt8]()
        bytes.reserveCapacity(range.count)
        for position in range {
            bytes.append(UInt8(truncatingIfNeeded: (position &* 2_654_435_761) >> 13))
        }
        try writer.append(bytes.span.bytes, at: range.lowerBound)
        try writer.flush()
    }

    func putWatermark(
        _ timeline: TimelineID, _ archived: UInt64, acknowledged: UInt64? = nil
    ) throws(TidemarkError) {
        try repository.putWatermark(
            Self.source,
            Watermark(
                timeline: timeline, state: .streaming, received: archived, archived: archived,
                acknowledged: acknowledged, restorableTo: nil, provedAt: nil, written: time.wall()))
    }

    @discardableResult
    func takeBackup(
        _ range: Range<UInt64> = 100..<3000, on timeline: TimelineID = one,
        tar: [UInt8] = SmallTar.make([
            ("backup_label", Array("START WAL LOCATION\n".utf8)),
            ("base/1/1259", BackupFixture.content(200_000, seed: 9)), ("empty", []),
        ])
    ) throws(TidemarkError) -> BaseBackupDescriptor {
        var start = BackupFixture.start(configuration: [("/etc/pg_hba.conf", [1, 2, 3])])
        start.timeline = timeline
        start.start = range.lowerBound
        let source = ScriptedBackupSource(
            start,
            [
                .file(BackupFixture.space), .content(SmallTar.make([("PG_15/1/2", [7, 7])])),
                .file(BackupFixture.base), .content(tar), .file(BackupFixture.manifest),
                .content(Array("{}".utf8)),
                .end(BaseBackupEnd(position: range.upperBound, warnings: [])),
            ])
        let writer = BaseBackupWriter(
            repository, clock: time, options: BaseBackupOptions(workers: 1))
        let wall = time.wall()
        return try writer.take(
            source, of: Self.source,
            BaseBackupHooks(
                sourceTime: { () throws(TidemarkError) in wall },
                waitArchived: { _ throws(TidemarkError) in }))
    }

    func segment(_ number: UInt64, _ timeline: TimelineID = one, suffix: String = ".lz4")
        -> ObjectKey
    {
        let range = PositionRange(
            timeline: timeline, first: number * Self.size, last: (number + 1) * Self.size)
        return ObjectKey(Layout.segment(Self.source, Self.style, range).path + suffix)
    }

    /// Ends timeline 1 where it is and sends one more segment on timeline 2; its document is the
    /// decimal switch position.
    func switchTimeline(document: String? = nil) throws(TidemarkError) {
        let writer = try writer()
        defer { writer.close() }
        try writer.begin(opening(Position(timeline: Self.one, ordinal: 5 * Self.size)))
        try Self.send(writer, 5 * Self.size..<Self.end)
        try writer.attach(
            "2.history", timeline: Self.two, Array((document ?? "\(Self.end)").utf8))
        try writer.endTimeline(next: Position(timeline: Self.two, ordinal: 5 * Self.size))
        try Self.send(writer, 5 * Self.size..<6 * Self.size + 10)
        try writer.settle()
        try putWatermark(Self.two, 6 * Self.size + 10)
    }

    /// The rules of this archive: a document holds the position where its timeline left timeline 1.
    static let rules = VerificationRules(style: style) {
        timeline, documents throws(TidemarkError) in
        guard let document = documents["2.history"] else { return [] }
        guard let end = UInt64(String(decoding: document, as: UTF8.self)) else {
            throw TidemarkError(.archiveDamaged, "2.history makes no sense")
        }
        return [Position(timeline: one, ordinal: end)]
    }

    func verify(deep: Bool = true, threads: Int = 2) throws(TidemarkError) -> VerificationReport {
        let verifier = Verifier(
            repository, VerificationOptions(isDeep: deep, threads: threads), clock: time
        ) { _ in Self.rules }
        return try verifier.run { (_) throws(TidemarkError) in }
    }
}
