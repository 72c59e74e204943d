import Logging
import Model
import Platform
import Repository
import Segments
import TestKit
import Testing

@testable import Daemon

/// Of two timelines that do not descend from each other only the watermark tells which is the
/// newer one: it has to before anything of it is acknowledged.
@Suite(.timeLimit(.minutes(2)))
struct WatermarkWriterTests {
    private static let source = SourceID("sessions")!
    private static let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// An archive whose watermark names the timeline `a`, and a source that is on `b`.
    private struct Scene: Sendable {
        let store = FaultyStore(MemoryStore())
        let board: SourceBoard
        let archiver: Archiver
        /// The watermark's timeline at each acknowledgement, and what was acknowledged.
        let seen = Monitor<[(timeline: String?, durable: UInt64)]>([])
        let stop = StopSignal()

        /// - Parameter isStopped: the work is to stop when its stream opens.
        init(isStopped: Bool = false) throws {
            let time = SystemTimeSource()
            let repository = ArchiveRepository(store)
            var random = SystemRandomNumberGenerator()
            try repository.openOrCreate(now: time.wall(), random: &random)
            try repository.putDescriptor(
                SourceDescriptor(
                    source: source, kind: .redis, identity: "a", majorVersion: "7.0",
                    segmentBytes: 100, created: time.wall()))
            let mark = Watermark(
                timeline: TimelineID("a"), state: .stopped, received: 50, archived: 50,
                restorableTo: nil, provedAt: nil, written: time.wall())
            try repository.putWatermark(source, mark)
            board = SourceBoard(source, kind: .redis, time: time)
            board.takeUp(mark, time.reading())
            let (seen, stop) = (seen, stop)
            let room = ScriptedRoom(source, on: TimelineID("b")) {
                if isStopped { stop.raise() }
            } acknowledged: { durable in
                let mark = try? repository.watermark(source)
                seen.update { $0.append((mark?.timeline.name, durable)) }
            }
            archiver = Archiver(
                room: room, repository: repository,
                marks: WatermarkWriter(board, repository, time: time, log: log), stop: stop,
                options: Archiver.Options(
                    compression: .lz4, flushInterval: 0.01, segmentAge: 600),
                time: time, log: log)
        }

        /// Archives until `body` has returned.
        func run(_ body: () throws -> Void) throws {
            let archiver = archiver
            let thread = DedicatedThread<Void>("test-stream") { archiver.run() }
            let done = Result(catching: body)
            store.heal()
            stop.raise()
            try thread.join()
            try done.get()
        }
    }

    @Test func `a timeline is named before anything of it is acknowledged`() async throws {
        try await offPool {
            let scene = try Scene()
            try scene.run {
                try eventually("it is acknowledged") {
                    scene.seen.read { $0.last?.durable == 10 }
                }
            }
            let seen = scene.seen.read { $0 }
            #expect(seen.allSatisfy { $0.timeline == "b" }, "\(seen)")
            // Who reads that watermark takes the new timeline for the one the source is on.
            let mark = try ArchiveRepository(scene.store).watermark(Self.source)
            #expect(mark?.timeline == TimelineID("b"))
        }
    }

    /// What tells where a timeline comes from is archived by the first pull: without it, nobody
    /// could restore to it later.
    @Test func `a timeline of which nothing has come is not named by a stop`() async throws {
        try await offPool {
            let scene = try Scene(isStopped: true)
            try scene.run {
                try eventually("it was opened") { scene.stop.isRaised }
            }
            #expect(scene.seen.read { $0.isEmpty })
            let mark = try ArchiveRepository(scene.store).watermark(Self.source)
            #expect(mark?.timeline == TimelineID("a"))
            #expect(scene.board.watermark(SystemTimeSource().reading())?.timeline.name == "a")
        }
    }

    @Test func `a source that went back before its new timeline was named is on the old one`()
        throws
    {
        let scene = try Scene()
        let marks = scene.archiver.marks
        marks.write()
        scene.store.fail(.put, TidemarkError(.repositoryUnreachable, "the disk is away"))
        let other = Position(timeline: TimelineID("b"), ordinal: 0)
        #expect(throws: TidemarkError.self) { try marks.announce(other) }
        try marks.announce(Position(timeline: TimelineID("a"), ordinal: 50))
        marks.write()
        let mark = try ArchiveRepository(scene.store).watermark(Self.source)
        #expect(mark?.timeline == TimelineID("a"))
    }

    @Test func `while the watermark cannot be written nothing is acknowledged`() async throws {
        try await offPool {
            let scene = try Scene()
            let full = TidemarkError(.repositoryUnreachable, "the disk is full")
            scene.store.fail(.put, full, times: 100_000)
            let before = scene.store.count(.put)
            try scene.run {
                try eventually("it is tried again and again") {
                    scene.store.count(.put) > before + 2
                }
                #expect(scene.seen.read { $0.isEmpty })
                let isReachable = scene.board.monitor.read { $0.isRepositoryReachable }
                #expect(!isReachable)
                scene.store.heal()
                try eventually("it goes on") { scene.seen.read { $0.last?.durable == 10 } }
            }
        }
    }

    @Test func `whoever has read the archive while it was written reads it again`() throws {
        let scene = try Scene()
        let marks = scene.archiver.marks
        marks.write()
        let before = scene.board.monitor.read { $0.changes }
        // One look may fall between the change and the file.
        try marks.announce(Position(timeline: TimelineID("b"), ordinal: 0))
        #expect(scene.board.monitor.read { $0.changes } == before + 2)
        // The same again is no news.
        try marks.announce(Position(timeline: TimelineID("b"), ordinal: 5))
        marks.write()
        #expect(scene.board.monitor.read { $0.changes } == before + 2)
    }
}
