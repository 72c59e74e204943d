import Glibc
import Model
import Platform
import Postgres
import TestKit
import Testing

@Suite(.serialized, .timeLimit(.minutes(8)))
struct SidecarBadDayTests {
    private func waitStreaming(_ side: SidecarHarness) throws {
        try eventually("the sidecar streams", seconds: 60) {
            guard let source = try? side.status() else { return false }
            return source.state == "streaming" && (source.exposureSeconds ?? 99) < 3
        }
    }

    @Test
    func `restarts and a kill of the server are survived without help`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            try server.psql("create table t (i int)")
            let side = try SidecarHarness(server)
            let sidecar = try side.startWithBackup()
            try waitStreaming(side)
            try server.stop(.fast, seconds: 10)
            try server.start()
            try server.psql("insert into t values (1)")
            try side.waitProved(side.moment())
            try server.kill9()
            try server.start()
            try server.psql("insert into t values (2)")
            try side.waitProved(side.moment())
            #expect(try sidecar.terminate().isSuccess)
            try side.expect(0, ["verify", "--deep"])
        }
    }

    @Test
    func `a slot lost to its limit becomes a gap, a new base backup, and a refused restore`()
        async throws
    {
        try await offPool {
            let server = try PostgresServer.start(
                .init(
                    settings: [
                        "max_slot_wal_keep_size = 2MB", "max_wal_size = 2MB",
                        "min_wal_size = 2MB", "wal_recycle = off",
                    ], segmentMebibytes: 1))
            try server.psql("create table t (s text)")
            let side = try SidecarHarness(server)
            var sidecar = try side.startWithBackup()
            let first = try side.status().lastBackup?.id
            #expect(try sidecar.terminate().isSuccess)
            let end = try side.status().archivedPosition ?? ""
            for _ in 0..<3 {
                try server.psql(
                    """
                    insert into t select repeat('x', 1000) from generate_series(1, 3000);
                    select pg_switch_wal(); checkpoint
                    """)
            }
            let lost = try side.moment()
            // The gap's record ends a whole segment after the moment.
            try server.psql("insert into t values ('y'); select pg_switch_wal(); checkpoint")
            #expect(try server.psql("select wal_status from pg_replication_slots") == "lost")
            sidecar = try side.start()
            try sidecar.waitForLog("gap in the archive")
            #expect(sidecar.log.contains("history was lost"))
            try eventually("a new base backup is there", seconds: 90) {
                try side.status().lastBackup?.id != first
            }
            #expect(try side.status().gaps.count == 1)
            let list = try side.expect(0, ["list", "--json"])
            #expect(list.contains("has already been removed"))
            try side.waitProved(side.moment())
            let text = try side.expect(
                3, ["restore", "--to", lost, "--into", side.folder + "/lost"])
            #expect(text.contains("lies where history of ledger was lost"), "\(text)")
            #expect(text.contains("the nearest that can be restored are 20"), "\(text)")
            let inside = try #require(LSN.parse(end)) + 1_000_000
            let position = try side.expect(
                3, ["restore", "--to", "lsn:\(LSN.text(inside))", "--into", side.folder + "/lost"])
            #expect(position.contains("crosses a gap of ledger, \(end) to "), "\(position)")
            #expect(position.contains("has already been removed"), "\(position)")
            #expect(position.contains("nearest"), "\(position)")
            #expect(try sidecar.terminate().isSuccess)
            let rows = try side.restored(to: "latest") {
                try side.ask($0, "select count(*) from t")
            }
            #expect(rows == "9001")
        }
    }

    @Test
    func `targets outside the window, occupied places and damage are refused`() async throws {
        try await offPool {
            let server = try PostgresServer.start(.init(segmentMebibytes: 1))
            let early = "2020-01-01T00:00:00Z"
            let side = try SidecarHarness(server)
            let sidecar = try side.startWithBackup()
            try server.psql(
                "create table t as select repeat(md5(i::text), 30) s from generate_series(1, 4000) i"
            )
            try side.waitProved(side.moment())
            #expect(try sidecar.terminate().isSuccess)
            let free = side.folder + "/free"
            try side.expect(3, ["restore", "--to", early, "--into", free])
            try side.expect(3, ["restore", "--to", "2099-01-01T00:00:00Z", "--into", free])
            let full = side.folder + "/full"
            try server.run(
                "/bin/sh", ["-c", "mkdir -p \"$0/ledger\" && touch \"$0/ledger/x\"", full])
            let text = try side.expect(2, ["restore", "--to", "latest", "--into", full])
            #expect(text.contains("--force"))
            try side.expect(0, ["verify", "--deep"])
            // One bit in the middle of a segment that every restore needs.
            let segments = try side.segments()
            let victim = try #require(segments.dropLast().last)
            try server.run(
                "/usr/bin/python3",
                [
                    "-c",
                    """
                    import os, sys
                    path = sys.argv[1]
                    os.chmod(path, 0o600)
                    with open(path, "r+b") as f:
                        f.seek(os.path.getsize(path) // 2)
                        byte = f.read(1)[0]
                        f.seek(-1, 1)
                        f.write(bytes([byte ^ 1]))
                    """, victim,
                ])
            try side.expect(4, ["verify", "--deep"])
            try side.expect(4, ["restore", "--to", "latest", "--into", free, "--start"])
        }
    }

    @Test
    func `a repository that is gone or read-only is said with 5`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let side = try SidecarHarness(server)
            try server.run("/bin/sh", ["-c", "echo > \"$0\"", side.archive])
            try side.expect(5, ["status"])
            try side.expect(5, ["run"])
            let blocked = try SidecarHarness(server, name: "blocked")
            try server.run("/bin/chmod", ["0555", blocked.folder])
            try blocked.expect(5, ["run"])
            try server.run("/bin/chmod", ["0755", blocked.folder])
        }
    }

    @Test
    func `as a synchronous standby it confirms at once and holds no shutdown`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            try server.psql("create table t (i int)")
            // A commit that waited for the timer would wait for a minute.
            let side = try SidecarHarness(server, lines: ["flush: { interval: 60s }"])
            let sidecar = try side.startWithBackup()
            try server.appendSettings(["synchronous_standby_names = 'tidemark'"])
            try server.reload()
            try eventually("the standby is synchronous") {
                try server.psql(
                    "select sync_state from pg_stat_replication where application_name = 'tidemark'"
                ) == "sync"
            }
            let slowest = try server.psql(
                """
                create temp table took (seconds float8);
                do $$
                declare start timestamptz;
                begin
                    for i in 1..20 loop
                        start := clock_timestamp();
                        insert into t values (i);
                        commit;
                        insert into took
                            select extract(epoch from clock_timestamp() - start);
                        commit;
                    end loop;
                end $$;
                select max(seconds) from took
                """, seconds: 60)
            let seconds = try #require(Double(slowest.split(separator: "\n").last ?? ""))
            #expect(seconds < 0.5)
            try server.stop(.fast, seconds: 10)
            #expect(sidecar.isRunning)
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test
    func `a promoted standby is followed onto its timeline and restored from`() async throws {
        try await offPool {
            let server = try PostgresServer.start(.init(settings: ["wal_keep_size = '256MB'"]))
            try server.psql("create table t (i int)")
            let standby = try server.makeStandby()
            let url =
                "postgresql://postgres@127.0.0.1:\(server.port),127.0.0.1:\(standby.port)/postgres"
            let side = try SidecarHarness(server, url: url)
            let sidecar = try side.startWithBackup()
            try server.psql("insert into t values (1)")
            let end = try server.psql("select pg_current_wal_flush_lsn()")
            try eventually("the standby has it") {
                try standby.psql("select pg_last_wal_replay_lsn() >= '\(end)'") == "t"
            }
            try server.stop(.fast, seconds: 10)
            try standby.promote()
            try standby.psql("insert into t values (2); select pg_switch_wal()")
            try eventually("timeline 2 is archived", seconds: 60) {
                try side.status().timeline == "2"
            }
            let moment = try standby.psql(
                """
                select to_char(clock_timestamp() at time zone 'UTC',
                    'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                """)
            try side.waitProved(moment)
            #expect(try sidecar.terminate().isSuccess)
            let files = try server.run("/usr/bin/find", [side.archive, "-name", "*history*"]).output
            #expect(files.contains("00000002.history"))
            let rows = try side.restored(to: "latest") {
                try side.ask($0, "select string_agg(i::text, ',' order by i) from t")
            }
            #expect(rows == "1,2")
        }
    }

    @Test
    func `killed in the middle of a base backup, no restore believes it and another is taken`()
        async throws
    {
        try await offPool {
            let server = try PostgresServer.start()
            try server.psql(
                """
                create table t as select string_agg(md5(random()::text), '') as s
                from generate_series(1, 25000) i, generate_series(1, 60) group by i
                """)
            let side = try SidecarHarness(server)
            var sidecar = try side.start()
            let bases = side.archive + "/ledger/base"
            let cut = try eventually("a base backup is being written") {
                try? Directory.names(in: bases).first { $0.first?.isNumber == true }
            }
            sidecar.kill9()
            #expect(access("\(bases)/\(cut)/manifest.json", F_OK) != 0)
            let into = side.folder + "/copy"
            let text = try side.expect(3, ["restore", "--to", "latest", "--into", into])
            #expect(text.contains("has no base backup yet"), "\(text)")
            #expect(access(into + "/ledger", F_OK) != 0)
            #expect(try !side.expect(0, ["list"]).contains(cut))
            sidecar = try side.startWithBackup()
            let second = try #require(side.status().lastBackup?.id)
            #expect(second != cut)
            #expect(try Directory.names(in: bases + "/" + cut).isEmpty)
            #expect(try sidecar.terminate().isSuccess)

            // Killed just before the manifest: everything is there but that.
            try server.run("/bin/rm", ["\(bases)/\(second)/manifest.json"])
            try side.expect(3, ["restore", "--to", "latest", "--into", into])
            sidecar = try side.startWithBackup()
            #expect(try Directory.names(in: bases + "/" + second).isEmpty)
            try side.waitProved(side.moment())
            #expect(try sidecar.terminate().isSuccess)
            try side.expect(0, ["verify", "--deep"])
            try side.expect(0, ["restore", "--to", "latest", "--into", into])
        }
    }
}

extension SidecarBadDayTests {
    @Test
    func `the signal to stop ends every source in good order, whichever is done first`()
        async throws
    {
        try await offPool {
            let server = try PostgresServer.start()
            let side = try SidecarHarness(
                server,
                lines: (1...3).map { "  other\($0): { url: \"\(server.url())\" }" })
            for pause in [0.0, 0.1, 0.4, 1.0] {
                let sidecar = try side.start(["--no-backup"])
                try eventually("all four stream", seconds: 60) {
                    sidecar.log.split(separator: "\n").count { $0.contains("stream opened") } == 4
                }
                _ = try server.psql("select pg_sleep(\(pause))")
                let status = try sidecar.terminate()
                #expect(status == .exited(0), "\(sidecar.log.suffix(600))")
            }
        }
    }
}
