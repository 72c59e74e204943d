import Model
import Platform
import TestKit
import Testing

/// A source is asked for all its data twelve times an hour at most, whoever is started when.
@Suite(.timeLimit(.minutes(3)))
struct ResyncLimitTests {
    @Test func `a sidecar that is started again keeps to what the archive shows`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            let first = try harness.startWithBackup()
            for _ in 0..<11 { try harness.expect(0, ["backup"]) }
            #expect(try first.terminate().isSuccess)
            // Without the RDB that a base backup leaves there its history is lost, and there is no
            // backlog to join.
            server.kill9()
            try shell("rm \"$0\"", server.directory + "/dump.rdb")
            try server.start()
            let second = try harness.start()
            try second.waitForLog("had 12 full resyncs for this archive within an hour")
            #expect(try server.info("sync_full") == "0")
            #expect(try second.terminate().isSuccess)
        }
    }
}
