import Model
import Platform
import TestKit
import Testing

/// A stream begins anew by a full resync twelve times an hour at most, whoever is started when.
@Suite(.timeLimit(.minutes(3)))
struct ResyncLimitTests {
    @Test func `base backups by hand never hold up the stream, new histories do`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let harness = try ArchiveHarness(server)
            let first = try harness.startWithBackup()
            for _ in 0..<12 { try harness.expect(0, ["backup"]) }
            #expect(try first.terminate().isSuccess)
            try Self.beginAnew(server)
            let second = try harness.start()
            try server.command("SET", "k", "1")
            try eventually("the new history is archived") {
                try harness.status().archivedPosition.flatMap { UInt64($0) } == server.offset()
                    && harness.timeline() == server.info("master_replid")
            }
            #expect(try second.terminate().isSuccess)
            // As if the same had happened twelve times.
            let gap = try #require(try harness.files("sessions/gaps").first)
            for number in 1..<12 {
                try shell("cp -p \"$0\" \"${0%.json}-$1.json\"", gap, "\(number)")
            }
            try Self.beginAnew(server)
            let third = try harness.start()
            try third.waitForLog("had 12 full resyncs for this archive's stream within an hour")
            #expect(try server.info("sync_full") == "0")
            #expect(try third.terminate().isSuccess)
        }
    }

    /// Without the RDB that a base backup leaves there its history is lost, and there is no backlog
    /// to join.
    private static func beginAnew(_ server: RedisServer) throws {
        server.kill9()
        try shell("rm -f \"$0\"", server.directory + "/dump.rdb")
        try server.start()
    }
}
