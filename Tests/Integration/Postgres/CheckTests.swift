import Glibc
import Model
import Platform
import TestKit
import Testing

/// `check` says what `run` will do.
@Suite(.timeLimit(.minutes(5)))
struct CheckTests {
    /// Both end with this status, and `check` says these words.
    private func expectBoth(
        _ status: Int32, _ side: SidecarHarness, _ words: [String],
        location: SourceLocation = #_sourceLocation
    ) throws {
        let text = try side.expect(status, ["check"], location: location)
        for word in words {
            #expect(text.contains(word), "\(word): \(text)", sourceLocation: location)
        }
        let lines = text.split(separator: "\n").filter { $0.contains("error") }
        #expect(Set(lines).count == lines.count, "\(text)", sourceLocation: location)
        try side.expect(status, ["run"], location: location)
    }

    @Test
    func `a standby, strangers' files and an unreachable server end both with 5`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let standby = try server.makeStandby()
            let follower = try SidecarHarness(server, url: standby.url(), name: "follower")
            try expectBoth(5, follower, ["is a standby", "wal_level is", "max_wal_senders is"])

            let side = try SidecarHarness(server)
            try server.run("/bin/mkdir", [side.archive])
            try server.run("/bin/sh", ["-c", "echo 1 > \"$0/letter\"", side.archive])
            try expectBoth(5, side, ["holds other files (letter)", "empty place of its own"])
            #expect(unlink(side.archive + "/letter") == 0)
            #expect(rmdir(side.archive) == 0)

            let absent = try side.expect(0, ["check"])
            #expect(absent.contains("`tidemark run` makes it"), "\(absent)")
            #expect(access(side.archive, F_OK) != 0)
            let sidecar = try side.startWithBackup()
            #expect(try sidecar.terminate().isSuccess)

            // Another archive, and another server.
            let other = try SidecarHarness(server, name: "other")
            try expectBoth(5, other, ["belongs to another archive"])
            let stranger = try PostgresServer.start(.init(checksums: true))
            let moved = try SidecarHarness(server, url: stranger.url(), name: "moved")
            try server.run("/bin/cp", ["-a", side.archive, moved.archive])
            try expectBoth(5, moved, ["is another one than the archive's"])
        }
    }

    @Test
    func `status tells why a base backup failed, and when it is tried again`() async throws {
        try await offPool {
            let server = try PostgresServer.start(.init(settings: ["max_wal_senders = 1"]))
            let side = try SidecarHarness(server)
            let check = try side.expect(0, ["check"])
            #expect(check.contains("max_wal_senders is 1"), "\(check)")
            let sidecar = try side.start()
            let reason = try eventually("the failure in status", seconds: 60) {
                let text = (try? side.status())?.reason ?? ""
                return text.contains("the base backup failed at 20") ? text : nil
            }
            #expect(reason.contains("WAL sender"), "\(reason)")
            #expect(reason.contains("ALTER SYSTEM SET max_wal_senders"), "\(reason)")
            #expect(reason.contains("; it is tried again at 20"), "\(reason)")
            let words = try side.expect(0, ["status"])
            #expect(words.contains("ledger: the base backup failed at 20"), "\(words)")
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test
    func `without a login for SQL settings, role and slot are judged all the same`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let side = try SidecarHarness(server, url: server.url(database: "nosuch"))
            let text = try side.expect(0, ["check"])
            for words in [
                "has no database nosuch", "rests on the flush position", "wal_level is replica",
                "may replicate", "max_wal_senders is", "tidemark_ledger does not exist yet",
                "max_slot_wal_keep_size is -1",
            ] {
                #expect(text.contains(words), "\(words): \(text)")
            }
        }
    }
}
