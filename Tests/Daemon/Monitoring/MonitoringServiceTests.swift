import Logging
import Model
import Monitoring
import Platform
import Repository
import TestKit
import Testing

@testable import Daemon

/// However it ends, the monitoring ends in good order.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct MonitoringServiceTests {
    private static let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// The monitoring of one source over an archive in memory, and its port.
    private static func service(_ port: Int) throws -> MonitoringService {
        let configuration = try Configuration(
            yaml: """
                repository: { url: "file:///nowhere" }
                sources: { ledger: { url: "postgresql://tidemark@db/postgres" } }
                monitoring: { listen: "127.0.0.1:\(port)" }
                """, file: "t", environment: Environment([:]))
        let time = SimulatedTime()
        let repository = ArchiveRepository(MemoryStore())
        var random = SystemRandomNumberGenerator()
        try repository.openOrCreate(now: time.wall(), random: &random)
        return try MonitoringService(
            configuration, boards: [SourceBoard(SourceID("ledger")!, time: time)], repository,
            stop: StopSignal(), time: time, log: log)
    }

    /// Connections that come and go without a pause, some of which ask for something.
    private static func crowd(_ port: Int, _ isOver: Monitor<Bool>) {
        var number = 0
        while !isOver.read({ $0 }) {
            number += 1
            guard let connection = try? LoopbackConnection(port) else { continue }
            if number % 3 == 0 { connection.send("GET /api/live HTTP/1.1\r\nHost: x\r\n\r\n") }
        }
    }

    @Test(arguments: 0..<5)
    func `cancelled while connections come in, it ends and takes nothing with it`(
        turn: Int
    ) async throws {
        let port = try freePort()
        let service = try await offPool { try Self.service(port) }
        let isOver = Monitor(false)
        let crowds = (0..<4).map { _ in
            DedicatedThread<Void>("test-crowd") { Self.crowd(port, isOver) }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do { try await service.run() } catch is CancellationError {
                    // What it was asked for.
                }
            }
            try await offPool {
                try eventually("it is served") {
                    (try? LoopbackHTTP.get(port, "/health/live"))?.status == 200
                }
                _ = isOver.wait(seconds: 0.1 * Double(turn)) { $0 ? true : nil as Bool? }
            }
            group.cancelAll()
            try await group.waitForAll()
        }
        isOver.update { $0 = true }
        for crowd in crowds { try await crowd.value() }
        // Nobody answers any more.
        await #expect(throws: TidemarkError.self) {
            try await offPool { _ = try LoopbackHTTP.get(port, "/health/live", seconds: 5) }
        }
    }

    @Test func `cancelled before it has begun, it ends at once`() async throws {
        let service = try await offPool { try Self.service(try freePort()) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.cancelAll()
            group.addTask {
                do { try await service.run() } catch is CancellationError {
                    // What it was asked for.
                }
            }
            try await group.waitForAll()
        }
    }
}
