import Logging
import Model
import Monitoring
import Platform
import Repository
import TestKit
import Testing

@testable import Daemon

/// A repository that fails, and one that hangs, are told apart and hold up nobody.
@Suite(.timeLimit(.minutes(2)))
struct CatalogWatchTests {
    private static let source = SourceID("ledger")!

    /// A watch over a store that can be told to misbehave.
    private struct Scene: Sendable {
        let time = SimulatedTime()
        let store = FaultyStore(MemoryStore())
        let stop = StopSignal()
        let board: SourceBoard
        let watch: CatalogWatch
        let view: LiveStatus

        init() throws {
            board = SourceBoard(source, time: time)
            let repository = ArchiveRepository(store)
            var random = SystemRandomNumberGenerator()
            try repository.openOrCreate(now: time.wall(), random: &random)
            watch = CatalogWatch([board], repository, stop: stop, time: time)
            let url = try #require(SourceURL("postgresql://tidemark@db/postgres"))
            let schedule = try Schedule("0 2 * * *", zone: .utc)
            view = LiveStatus(
                [
                    .init(
                        configuration: SourceConfiguration(
                            name: source, url: url, rpo: .seconds(60), slot: nil,
                            backupSchedule: schedule), board: board)
                ], repository: "memory:", catalog: watch,
                events: EventWatch(
                    [board], repository, watch, stop: stop, time: time,
                    log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }),
                history: HistoryKeeper(
                    [board], repository, time: time,
                    log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }), time: time)
        }

        /// The source has an archive of which nothing is proved yet.
        func describe() throws {
            try ArchiveRepository(store).putDescriptor(
                SourceDescriptor(
                    source: source, kind: .postgres, identity: "7", majorVersion: "15",
                    segmentBytes: 16 << 20, created: time.wall()))
        }

        var problem: String? { watch.problem(time.monotonic()) }

        /// Runs the watch beside `body`.
        func run(_ body: () throws -> Void) throws {
            let thread = DedicatedThread<Void>("test-catalog") { watch.run() }
            defer {
                store.heal()
                stop.raise()
            }
            try body()
            store.heal()
            stop.raise()
            try thread.join()
        }
    }

    @Test func `a repository that hangs is told after a while, and holds up no question`()
        async throws
    {
        try await offPool {
            let scene = try Scene()
            try scene.describe()
            scene.store.fail(.list, .hang)
            try scene.run {
                #expect(scene.store.waitUntilHanging())
                #expect(scene.problem == nil)
                #expect(
                    scene.view.status().sources.first?.reason == "the archive has not been read yet"
                )
                scene.time.advance(16)
                #expect(scene.problem == "the repository has not answered for 16 s")
                let status = scene.view.status()
                #expect(status.repository.state == "the repository has not answered for 16 s")
                #expect(scene.view.stored()?.sources.isEmpty == true)
                scene.store.release()
                try eventually("it has answered") {
                    scene.problem == nil && scene.watch.seen(Self.source)?.facts != nil
                }
            }
        }
    }

    @Test func `one that fails says why, and is asked again at once`() async throws {
        try await offPool {
            let scene = try Scene()
            try scene.describe()
            scene.store.fail(
                .open, TidemarkError(.repositoryUnreachable, "the disk is gone"), times: 10_000)
            try scene.run {
                try eventually("the failure is told") { scene.problem == "the disk is gone" }
                #expect(scene.view.status().repository.state == "the disk is gone")
                scene.store.heal()
                // The simulated time stands still: no turn is due.
                try eventually("it is over", seconds: 10) { scene.problem == nil }
                #expect(scene.view.status().repository.state == "ok")
            }
        }
    }

    @Test func `damage is a source's trouble, not the repository's`() async throws {
        try await offPool {
            let scene = try Scene()
            try scene.store.put(Layout.descriptor(Self.source), Array("{".utf8), .create)
            try scene.run {
                try eventually("it was read") { scene.watch.seen(Self.source) != nil }
                #expect(scene.problem == nil)
                #expect(scene.watch.seen(Self.source)?.failure?.code == .archiveDamaged)
                let source = try #require(scene.view.status().sources.first)
                #expect(source.reason.contains("source.json"), "\(source.reason)")
                #expect(source.objective == .breached)
            }
        }
    }

    @Test func `what another sidecar writes down is shown each second`() async throws {
        try await offPool {
            let scene = try Scene()
            try scene.describe()
            let repository = ArchiveRepository(scene.store)
            try scene.run {
                try eventually("it was read") { scene.watch.seen(Self.source)?.facts != nil }
                let mark = Watermark(
                    timeline: TimelineID("1"), state: .streaming, received: 70, archived: 64,
                    restorableTo: scene.time.wall(), provedAt: scene.time.wall(),
                    written: scene.time.wall())
                try repository.putWatermark(Self.source, mark)
                try eventually("it is shown", seconds: 10) {
                    scene.view.status().sources.first?.archivedPosition == "0/40"
                }
                scene.store.fail(
                    .open, TidemarkError(.repositoryUnreachable, "away"), times: 10_000)
                try eventually("the failure is told") { scene.problem == "away" }
                scene.store.heal()
                try eventually("it is over", seconds: 10) { scene.problem == nil }
            }
        }
    }

    @Test func `who does not answer is told: the database, or the repository`() throws {
        let scene = try Scene()
        let board = scene.board
        #expect(board.sourceSilence(scene.time.monotonic()) == nil)
        board.asking.begin(scene.time.monotonic())
        board.writing.begin(scene.time.monotonic())
        scene.time.advance(5)
        #expect(board.repositorySilence(scene.time.monotonic()) == nil)
        scene.time.advance(1)
        #expect(board.sourceSilence(scene.time.monotonic()) == 6)
        #expect(board.repositorySilence(scene.time.monotonic()) == 6)
        #expect(
            scene.view.status().repository.state == "the repository has not answered for 6.0 s")
        board.writing.end()
        #expect(board.repositorySilence(scene.time.monotonic()) == nil)
        board.flushing.begin(scene.time.monotonic())
        scene.time.advance(60)
        #expect(board.repositorySilence(scene.time.monotonic()) == 60)
    }
}
