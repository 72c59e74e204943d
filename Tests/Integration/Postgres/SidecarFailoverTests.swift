import Model
import Platform
import Postgres
import TestKit
import Testing

/// What was acknowledged on the old primary and never reached the new one.
@Suite(.timeLimit(.minutes(5)))
struct SidecarFailoverTests {
    /// A primary whose last rows a promoted standby lacks; the sidecar has archived both.
    private struct Failover {
        let server: PostgresServer
        let standby: PostgresServer
        let side: SidecarHarness
        /// After the last row of the old primary, before the first of the new one.
        let between: String

        init() throws {
            server = try PostgresServer.start(.init(segmentMebibytes: 1))
            try server.psql("create table t (i int); insert into t values (1)")
            side = try SidecarHarness(server)
            let sidecar = try side.startWithBackup()
            standby = try server.makeStandby()
            try eventually("the standby follows") { [standby] in
                try standby.psql("select count(*) from t") == "1"
            }
            try standby.stop()
            try server.psql("insert into t select generate_series(2, 5)")
            between = try side.moment()
            try side.waitProved(between)
            #expect(try sidecar.terminate().isSuccess)
            try server.kill9()
            try standby.start()
            try standby.promote()
        }

        /// Archives the new primary; ends when its row is proved.
        func goOn() throws {
            let config = side.folder + "/standby.yml"
            try TextFile.write(
                config,
                """
                repository: { url: "file://\(side.archive)" }
                sources: { ledger: { url: "\(standby.url())" } }

                """)
            let sidecar = try TidemarkProcess(
                ["run", "--no-backup", "--config", config], environment: side.environment,
                directory: side.folder, user: PostgresTools.user)
            try standby.psql("insert into t values (6)")
            let moment = try standby.psql(
                """
                select to_char(clock_timestamp() at time zone 'UTC',
                    'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                """)
            try side.waitProved(moment)
            #expect(try sidecar.terminate().isSuccess)
        }

        /// `list` and `status` tell of random moments what a restore to each does.
        func expectPromisesKept(around between: CommitTime) throws {
            let seed = UInt64.random(in: 0..<1_000_000)
            var random = SeededRandom(seed: seed)
            let told = try ["list", "status"].map {
                try PromisedWindows(side.expect(0, [$0, "--json"]))
            }
            var refused = 0
            for round in 0..<16 {
                // The row before it and the one after it are seconds away.
                let span = round % 2 == 0 ? 300 : 6000
                let at = CommitTime(
                    microseconds: between.microseconds / 1000 * 1000
                        + (Int64(random.next() % UInt64(2 * span)) - Int64(span)) * 1000)
                let done = try side.tidemark([
                    "restore", "--dry-run", "--to", at.description, "--into", side.folder + "/x",
                ])
                try #require(done.status.isSuccess || done.status == .exited(3), "\(done.errors)")
                for windows in told {
                    #expect(windows.contains(at) == done.status.isSuccess, "seed \(seed): \(at)")
                }
                refused += done.status.isSuccess ? 0 : 1
            }
            #expect(refused > 3, "seed \(seed)")
        }

        func rows(_ words: [String], _ name: String) throws -> (String, [Int]) {
            let into = side.folder + "/" + name
            let done = try side.tidemark(["restore", "--into", into, "--start"] + words)
            try #require(done.status.isSuccess, "restore said: \(done.errors)")
            defer {
                _ = try? server.run(
                    "pg_ctl", ["-D", into + "/ledger", "-m", "immediate", "-w", "stop"])
            }
            let url = done.output.split(separator: "\n").last.map(String.init) ?? ""
            let found = try side.ask(url, "select i from t order by i")
            return (done.output + done.errors, found.split(separator: "\n").compactMap { Int($0) })
        }
    }

    @Test
    func `a time between two histories is never silently given the poorer one`() async throws {
        try await offPool {
            let failover = try Failover()
            try failover.goOn()
            let side = failover.side
            let refused = try side.expect(
                3, ["restore", "--to", failover.between, "--into", side.folder + "/a"])
            #expect(refused.contains("--timeline 1 --to latest"))
            #expect(refused.contains("--timeline 2 --to"))
            // Nor does `list` promise such a time.
            let list = try side.expect(0, ["list"])
            #expect(list.contains("two histories from"), "\(list)")
            #expect(list.contains("needs --timeline 1 or --timeline 2"), "\(list)")
            let between = try #require(CommitTime(failover.between))
            let windows = list.split(separator: "\n").filter { $0.contains("any moment from") }
            #expect(!windows.isEmpty)
            for window in windows {
                let times = window.split(separator: " ").compactMap { CommitTime(String($0)) }
                #expect(times.count == 2 && (between < times[0] || times[1] < between))
            }
            try failover.expectPromisesKept(around: between)
            let (_, old) = try failover.rows(["--timeline", "1", "--to", "latest"], "old")
            #expect(old == [1, 2, 3, 4, 5])
            let (said, new) = try failover.rows(
                ["--timeline", "2", "--to", failover.between], "new")
            #expect(new == [1])
            #expect(said.contains("that timeline 2 never had"))
            let (latest, all) = try failover.rows(["--to", "latest"], "latest")
            #expect(all == [1, 6])
            #expect(latest.contains("`--timeline 1` restores them"))
        }
    }

    @Test
    func `a server that passes by the newest timeline is followed from where it left`() async throws
    {
        try await offPool {
            let server = try PostgresServer.start(.init(segmentMebibytes: 1))
            try server.psql("create table t (i int); insert into t values (1)")
            let side = try SidecarHarness(server)
            let sidecar = try side.startWithBackup()
            let second = try server.makeStandby()
            let third = try server.makeStandby(settings: ["recovery_target_timeline = 'current'"])
            for standby in [second, third] {
                try eventually("the standby follows") {
                    try standby.psql("select count(*) from t") == "1"
                }
            }
            try side.waitProved(side.moment())
            #expect(try sidecar.terminate().isSuccess)
            try server.kill9()
            try second.promote()
            try archive(second, side, "insert into t values (2)")
            // So that it takes the next number.
            try server.run(
                "/bin/cp",
                [second.pgData + "/pg_wal/00000002.history", third.pgData + "/pg_wal/"])
            try third.promote()
            try archive(third, side, "insert into t values (3)")
            let status = try side.status()
            #expect(status.timeline == "3" && status.gaps.isEmpty, "\(status)")
            try side.expect(0, ["verify", "--deep"])
            let done = try side.tidemark(
                ["restore", "--dry-run", "--to", "latest", "--into", side.folder + "/x"])
            #expect((done.output + done.errors).contains("`--timeline 2` restores them"))
            let rows = try side.restored(to: "latest") {
                try side.ask($0, "select string_agg(i::text, ',' order by i) from t")
            }
            #expect(rows == "1,3")
        }
    }

    /// Archives another server of the cluster until what it commits now is proved.
    private func archive(
        _ server: PostgresServer, _ side: SidecarHarness, _ statement: String
    ) throws {
        let config = side.folder + "/other.yml"
        try TextFile.write(
            config,
            """
            repository: { url: "file://\(side.archive)" }
            sources: { ledger: { url: "\(server.url())" } }

            """)
        let sidecar = try TidemarkProcess(
            ["run", "--no-backup", "--config", config], environment: side.environment,
            directory: side.folder, user: PostgresTools.user)
        try server.psql(statement)
        let moment = try server.psql(
            """
            select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
            """)
        do {
            try side.waitProved(moment)
        } catch {
            Issue.record("\(sidecar.log)")
            throw error
        }
        #expect(try sidecar.terminate().isSuccess)
    }
}
