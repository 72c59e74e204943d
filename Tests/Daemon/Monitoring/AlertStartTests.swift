import Logging
import Model
import Monitoring
import Platform
import Postgres
import Repository
import TestKit
import Testing

@testable import Daemon

/// What is wrong when a process begins is called out at once, and what the process before has
/// called out is not called out again.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct AlertStartTests {
    private static let source = SourceID("ledger")!
    private static let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static func mark(_ wall: CommitTime) -> Watermark {
        Watermark(
            timeline: TimelineID("1"), state: .streaming, received: 64, archived: 64,
            restorableTo: wall, provedAt: wall, written: wall)
    }

    /// As it stands in a message.
    private static func event(_ name: String) -> String { "\"event\" : \"\(name)\"" }

    /// The monitoring of one source, of which the archive has its description and nothing else.
    private struct Scene: Sendable {
        let time = SystemTimeSource()
        let store = FaultyStore(MemoryStore())
        let stop = StopSignal()
        let board: SourceBoard
        let repository: ArchiveRepository
        let receiver: HTTPReceiver

        init() throws {
            board = SourceBoard(source, time: time)
            repository = ArchiveRepository(store)
            receiver = try HTTPReceiver()
            var random = SystemRandomNumberGenerator()
            try repository.openOrCreate(now: time.wall(), random: &random)
            try repository.putDescriptor(
                SourceDescriptor(
                    source: source, kind: .postgres, identity: "7", majorVersion: "15",
                    segmentBytes: 16 << 20, created: time.wall()))
        }

        /// The service, with nothing said yet of who archives the source.
        func service() throws -> MonitoringService {
            let configuration = try Configuration(
                yaml: """
                    repository: { url: "file:///nowhere" }
                    sources: { ledger: { url: "postgresql://tidemark@db/postgres", rpo: 1s } }
                    monitoring: { listen: none }
                    alerts:
                      - { webhook: "http://127.0.0.1:\(receiver.port)/hook", on: [stalled, breached, gap] }
                    """, file: "t", environment: Environment([:]))
            return try MonitoringService(
                configuration, boards: [board], repository, stop: stop, time: time, log: log)
        }

        /// The source becomes ours with a stream that has stood still for long. Returns when.
        func stall() -> Double {
            let now = time.reading()
            board.takeUp(AlertStartTests.mark(now.wall), now)
            board.connected(identity: "7", now: now.uptime.advanced(bySeconds: -60))
            return SocketWait.now()
        }

        /// A piece of history is lost.
        func gap(_ first: UInt64) throws {
            try repository.putGap(
                source, WalPositionStyle(segmentBytes: 16 << 20),
                Gap(
                    timeline: TimelineID("1"), first: first, last: first + 16,
                    found: time.wall(), reason: "slot"))
        }

        /// Runs the service beside `body`, to its end.
        func run(_ body: @escaping @Sendable () throws -> Void) async throws {
            let service = try service()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    do { try await service.run() } catch is CancellationError {
                        // What it was asked for.
                    }
                }
                do {
                    try await offPool { try body() }
                } catch {
                    store.heal()
                    group.cancelAll()
                    throw error
                }
                store.heal()
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }

    @Test func `the first alert of a process leaves within two seconds`() async throws {
        let scene = try await offPool { try Scene() }
        try await scene.run {
            let began = scene.stall()
            let told = try eventually("it is called out") {
                scene.receiver.received.first { $0.body.contains(Self.event("stalled")) }
            }
            #expect(told.at - began < 2, "\(told.at - began) s")
            #expect(told.body.contains("\"step\" : \"raised\""))
            try eventually("it is kept for the next process") {
                try scene.repository.alerts(Self.source).contains { $0.event == "stalled" }
            }
        }
    }

    @Test func `what was called out before is known as soon as the source is ours`() async throws {
        let scene = try await offPool { try Scene() }
        try await offPool {
            try scene.repository.putAlerts(
                Self.source, [.init(event: "stalled", since: scene.time.wall())])
        }
        try await scene.run {
            _ = scene.stall()
            // Nothing is proved, which is a breach after a second: the stall was looked at as well.
            try eventually("the breach is called out") {
                scene.receiver.received.contains { $0.body.contains(Self.event("breached")) }
            }
            scene.board.progressed(
                received: 70, archived: Position(timeline: TimelineID("1"), ordinal: 70),
                now: scene.time.monotonic())
            try eventually("it is taken back") {
                // The stream goes on.
                scene.board.monitor.update { $0.seen.lastProgress = scene.time.monotonic() }
                return scene.receiver.received.contains { $0.body.contains("\"recovered\"") }
            }
            let stalls = scene.receiver.received.filter { $0.body.contains(Self.event("stalled")) }
            #expect(stalls.count == 1 && stalls[0].body.contains("\"recovered\""), "\(stalls)")
        }
    }

    @Test func `a gap of old is no news once the first watermark is there`() async throws {
        let scene = try await offPool { try Scene() }
        try await offPool {
            try scene.gap(16)
            // It was mended by a base backup behind it.
            var backup = Sample.backup(TimelineID("1"), start: 64, end: 64, finished: 10)
            backup.source = Self.source
            try scene.repository.putManifest(backup)
            try scene.repository.putWatermark(Self.source, Self.mark(scene.time.wall()))
        }
        try await scene.run {
            // It is ours, and nothing is archived by this process yet: a breach, in time.
            scene.board.monitor.update { $0.isOurs = true }
            func raised(_ name: String) -> Bool {
                scene.receiver.received.contains { $0.body.contains(Self.event(name)) }
            }
            try eventually("it was looked at") { raised("breached") }
            _ = scene.stall()
            try eventually("the stall is called out") { raised("stalled") }
            #expect(!raised("gap"))
            try scene.gap(64)
            scene.board.monitor.update { $0.changes += 1 }
            try eventually("a new gap is called out") { raised("gap") }
        }
    }

    @Test func `an archive that does not tell what was called out delays no alert`()
        throws
    {
        let scene = try Scene()
        let now = scene.time.reading()
        // Nobody runs it: it never knows.
        let history = HistoryKeeper(
            [scene.board], scene.repository, time: scene.time, log: Self.log)
        let sender = WebhookSender(
            "alerts[0]",
            AlertConfiguration(webhook: Secret("http://127.0.0.1:1/"), events: [.stalled]),
            stop: scene.stop, time: scene.time, log: Self.log)
        var watch = AlertWatch(history, [sender], host: "here")
        let source = SourceStatus(
            name: Self.source, kind: .postgres, state: .stalled, timeline: nil,
            receivedPosition: nil, archivedPosition: nil, restorableTo: nil, exposureSeconds: 1,
            rpoSeconds: 60, recoveryWindows: [], gaps: [], lastBackup: nil, sourceWindow: nil,
            reason: "")
        var looks = 0
        while sender.untold(Self.source, .stalled) == nil, looks < 100 {
            watch.look(source, isOurs: true, "ok", now)
            looks += 1
        }
        // Two looks a second, a second and a half.
        #expect(looks == 3)
    }
}
