import Glibc
import Model
import Platform
import TestKit
import Testing

/// What no retry mends is said at once, with the statement that mends it.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct SidecarRefusalTests {
    private func expectRefusal(
        _ side: SidecarHarness, _ words: [String], location: SourceLocation = #_sourceLocation
    ) throws {
        for command in ["check", "backup", "run"] {
            let text = try side.expect(5, [command], location: location)
            for word in words {
                #expect(
                    text.contains(word), "\(command) does not say \(word): \(text)",
                    sourceLocation: location)
            }
        }
    }

    @Test
    func `a wrong password ends run, check and backup with 5 and the statement`() async throws {
        try await offPool {
            let server = try PostgresServer.start(.init(authentication: .password("right")))
            let side = try SidecarHarness(server, url: server.url(password: "wrong-secret"))
            try expectRefusal(side, ["password", "ALTER ROLE"])
            let text = try side.expect(5, ["check"])
            #expect(!text.contains("wrong-secret"))
        }
    }

    @Test
    func `a role that may not replicate is told ALTER ROLE`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            try server.psql("create role weak login; grant pg_monitor to weak")
            let side = try SidecarHarness(server, url: server.url(user: "weak"))
            try expectRefusal(side, ["ALTER ROLE", "REPLICATION"])
        }
    }

    @Test
    func `wal_level minimal is told the setting`() async throws {
        try await offPool {
            let server = try PostgresServer.start(
                .init(settings: ["wal_level = minimal", "max_wal_senders = 0"]))
            let side = try SidecarHarness(server)
            try expectRefusal(side, ["ALTER SYSTEM SET", "wal_level"])
        }
    }

    @Test
    func `another cluster behind the same URL is refused and nothing is written`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let side = try SidecarHarness(server)
            let sidecar = try side.startWithBackup()
            #expect(try sidecar.terminate().isSuccess)
            let segments = try side.segments()
            try server.stop()
            let other = try PostgresServer.start(.init(checksums: true))
            let moved = try SidecarHarness(server, url: other.url(), name: "moved")
            try server.run("/bin/cp", ["-a", side.archive, moved.archive])
            let text = try moved.expect(5, ["run"])
            #expect(text.contains("system identifier"), "\(text)")
            #expect(try moved.segments().count == segments.count)
            try moved.expect(5, ["backup"])
        }
    }

    @Test
    func `a standby is told how to reach the primary`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let standby = try server.makeStandby()
            let side = try SidecarHarness(server, url: standby.url())
            try expectRefusal(side, ["standby", "target_session_attrs=read-write"])
            #expect(try side.segments().isEmpty)
        }
    }

    @Test
    func `without a free WAL sender it waits, says so, and takes the next free one`() async throws {
        try await offPool {
            let server = try PostgresServer.start(.init(settings: ["max_wal_senders = 1"]))
            let holder = try Subprocess(
                PostgresTools.path("pg_receivewal"),
                ["-D", server.makeDirectory("other"), "-d", server.url()],
                SubprocessOptions(
                    directory: "/tmp", user: PostgresTools.user, signalOnParentDeath: .kill))
            try eventually("the only sender is taken") {
                try server.psql("select count(*) from pg_stat_replication") == "1"
            }
            let side = try SidecarHarness(server)
            for command in ["check", "backup"] {
                let said = try side.expect(5, [command])
                #expect(said.contains("ALTER SYSTEM SET max_wal_senders = "), "\(said)")
            }
            let sidecar = try side.start(["--no-backup"])
            try sidecar.waitForLog("all 1 WAL senders of Postgres")
            #expect(sidecar.log.contains("ALTER SYSTEM SET max_wal_senders = 6"))
            holder.signal(SIGKILL)
            try sidecar.waitForLog("stream opened")
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test
    func `without a free slot run, check and backup end with 5 and the statement`() async throws {
        try await offPool {
            let server = try PostgresServer.start(.init(settings: ["max_replication_slots = 1"]))
            try server.psql("select pg_create_physical_replication_slot('other')")
            let side = try SidecarHarness(server)
            try expectRefusal(side, ["pg_drop_replication_slot(", "max_replication_slots"])
            #expect(try server.psql("select slot_name from pg_replication_slots") == "other")
        }
    }

    @Test
    func `a slot in use by another is waited for, with the process that holds it`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let side = try SidecarHarness(server)
            let first = try side.start(["--no-backup"])
            try first.waitForLog("stream opened")
            #expect(try first.terminate().isSuccess)
            let holder = try Subprocess(
                PostgresTools.path("pg_receivewal"),
                [
                    "-D", server.makeDirectory("other"), "-d", server.url(), "-S",
                    "tidemark_ledger",
                ],
                SubprocessOptions(
                    directory: "/tmp", user: PostgresTools.user, signalOnParentDeath: .kill))
            let active = "select active_pid from pg_replication_slots where active"
            try eventually("the slot is taken") { try !server.psql(active).isEmpty }
            let process = try server.psql(active)
            let sidecar = try side.start(["--no-backup"])
            try sidecar.waitForLog("in use by process \(process)")
            #expect(sidecar.log.contains("pg_terminate_backend(\(process))"))
            holder.signal(SIGKILL)
            try sidecar.waitForLog("stream opened")
            #expect(try sidecar.terminate().isSuccess)
        }
    }
}

extension SidecarRefusalTests {
    @Test
    func `an archive's disk that is not mounted is never taken for a new archive`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let side = try SidecarHarness(server)
            let sidecar = try side.start(["--no-backup"])
            try eventually("it streams", seconds: 60) {
                (try? side.status())?.state == "streaming"
            }
            #expect(try sidecar.terminate().isSuccess)
            let held = "select restart_lsn from pg_replication_slots"
            let before = try server.psql(held)
            try server.run("/bin/mv", [side.archive, side.archive + ".real"])
            try server.run("/bin/mkdir", [side.archive])
            try server.psql("create table t (i int); select pg_switch_wal()")
            for _ in 0..<2 {
                let said = try side.expect(5, ["run"])
                #expect(said.contains("belongs to another archive of ledger"))
                #expect(said.contains("pg_drop_replication_slot('tidemark_ledger')"))
            }
            #expect(try server.psql(held) == before)
            try server.run("/bin/rm", ["-r", side.archive])
            try server.run("/bin/mv", [side.archive + ".real", side.archive])
            let again = try side.start(["--no-backup"])
            try server.psql("insert into t values (1)")
            try side.waitProved(side.moment())
            #expect(try again.terminate().isSuccess)
            try side.expect(0, ["verify", "--deep"])
        }
    }
}
