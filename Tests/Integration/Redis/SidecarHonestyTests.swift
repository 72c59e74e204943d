import Model
import Platform
import TestKit
import Testing

/// The number that is shown is never too good: what a restore brings back is no older than that.
@Suite(.serialized, .timeLimit(.minutes(60)))
struct SidecarHonestyTests {
    /// Rounds after which a new archive is begun: each adds a timeline, and all are looked at.
    private static let archiveRounds = 16

    /// A server that keeps nothing itself but what the first base backup made it write: it goes back
    /// there, or to nothing, and all that a kill leaves is in the archive.
    @Test func `sidecar and source killed under load, no more is lost than was shown`()
        async throws
    {
        try await offPool {
            let comment = Comment(rawValue: "TIDEMARK_HONESTY_SEED=\(ShownExposure.seed)")
            let server = try RedisServer.start(["repl-backlog-size 64mb"])
            let port = try freePort()
            var harness = try ArchiveHarness(server)
            var random = SeededRandom(seed: ShownExposure.seed)
            for round in 0..<ShownExposure.rounds {
                if round > 0 { try server.start() }
                let isNew = round % Self.archiveRounds == 0
                if isNew {
                    harness = try ArchiveHarness(server)
                    try harness.watch(port)
                }
                let counter = try CounterClient(server, key: "round-\(round)")
                let sidecar = try isNew ? harness.startWithBackup() : harness.start()
                try LoopbackHTTP.waitHealth(port)
                let owed = try ShownExposure.owed(
                    after: Double.random(in: 0.3...2.5, using: &random), port: port
                ) { try counter.acknowledged() }
                try ShownExposure.killBoth(sidecar, using: &random) { server.kill9() }
                counter.end()
                let url = try harness.restore(to: "latest", name: "copy-\(round)", [], comment)
                let found = try Int(harness.ask(url, "GET", "round-\(round)")) ?? 0
                #expect(found >= owed.last ?? .max, comment)
                try harness.stop(url)
            }
        }
    }
}

/// Counts as fast as one client can that waits for each answer, and notes the answers.
private final class CounterClient {
    private let client: Subprocess
    private let scratch: ScratchDirectory
    private var output: String { scratch.path + "/acknowledged" }

    init(_ server: RedisServer, key: String) throws {
        scratch = try ScratchDirectory()
        client = try Subprocess(
            "redis-cli", ["-p", String(server.port), "-r", "-1", "-i", "0.001", "INCR", key],
            SubprocessOptions(
                outputFile: scratch.path + "/acknowledged", signalOnParentDeath: .kill))
    }

    deinit { end() }

    /// The numbers that were answered up to now; a half-written last line does not count.
    func acknowledged() throws -> [Int] {
        let text = try Subprocess.run("cat", [output], seconds: 20).output
        let end = text.lastIndex(of: "\n") ?? text.startIndex
        return text[..<end].split(separator: "\n").compactMap { Int($0) }
    }

    func end() {
        client.signal(9)
        client.wait(seconds: 10)
    }
}
