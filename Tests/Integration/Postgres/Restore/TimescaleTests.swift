import Model
import Platform
import TestKit
import Testing

/// A real TimescaleDB: Debian's build for Postgres 17, the edition without compression.
@Suite(.timeLimit(.minutes(5)))
struct TimescaleTests {
    private static let bin = OtherServers.postgres(17)
    private static let restoring = ["--pg-bin", bin]

    /// Everything that must be equal: rows, chunks, the extension, its jobs.
    private static let content = """
        select count(*), md5(string_agg(r::text, ',' order by time, sensor)) from readings r;
        select count(*) from show_chunks('readings');
        select extversion from pg_extension where extname = 'timescaledb';
        select count(*) from timescaledb_information.jobs
        """
    private static let guards = """
        show shared_preload_libraries; show timescaledb.max_background_workers;
        select count(*) from pg_stat_activity where backend_type like '%Scheduler'
        """

    private static func makeHypertable(_ fixture: RestoreFixture) throws {
        _ = try fixture.sql(
            """
            set client_min_messages = warning;
            create extension timescaledb;
            create table readings (time timestamptz not null, sensor int, value float8);
            """)
        _ = try fixture.sql(
            """
            select create_hypertable('readings', 'time', chunk_time_interval => interval '1 day');
            insert into readings
                select '2026-01-01'::timestamptz + i * interval '10 minutes', i % 7, random()
                from generate_series(1, 2000) i
            """)
    }

    /// Inserts into chunks old and new until it is stopped.
    private static func load(_ fixture: RestoreFixture, _ isStopped: Monitor<Bool>)
        -> DedicatedThread<Int>
    {
        let server = fixture.server
        return DedicatedThread("load") { () throws(TidemarkError) in
            var rounds = 0
            while !isStopped.read({ $0 }) {
                try server.psql(
                    """
                    insert into readings select '2026-01-10'::timestamptz
                        + (\(rounds) + i) * interval '1 hour', \(rounds), i
                    from generate_series(1, 100) i
                    """)
                rounds += 1
            }
            return rounds
        }
    }

    @Test func `a hypertable comes back to before its chunks, and before itself, were dropped`()
        async throws
    {
        try await offPool {
            let fixture = try RestoreFixture(
                PostgresOptions(
                    settings: [
                        "shared_preload_libraries = 'timescaledb'",
                        "timescaledb.telemetry_level = off", "max_worker_processes = 23",
                    ], segmentMebibytes: 1, bin: Self.bin))
            // The first base backup does not know the extension yet.
            try Self.makeHypertable(fixture)
            try fixture.settle()
            let first = try fixture.now()
            let small = try fixture.sql(Self.content)
            let isStopped = Monitor(false)
            let load = Self.load(fixture, isStopped)
            let backup = try Self.tidemark(fixture, ["backup"])
            isStopped.update { $0 = true }
            #expect(backup.status.isSuccess, "\(backup.errors)")
            #expect(try load.join() > 0)
            let whole = try fixture.sql(Self.content)
            let before = try fixture.now()
            _ = try fixture.sql("select drop_chunks('readings', '2026-01-08'::timestamptz)")
            let rest = try fixture.sql(Self.content)
            _ = try fixture.sql("drop table readings")
            try fixture.settle()
            try eventually("the source's own scheduler runs") {
                try fixture.sql(Self.guards) == "timescaledb\n16\n1"
            }
            let check = try Self.tidemark(fixture, ["check"])
            #expect(check.output.contains("timescaledb 2.19."), "\(check.output)")
            #expect(check.output.contains("a restore needs the same version of its library"))
            fixture.stopSidecar()
            #expect(try Self.tidemark(fixture, ["verify", "--deep"]).status.isSuccess)
            let events = try Self.tidemark(fixture, ["find"]).output.split(separator: "\n")
                .filter { $0.contains("DROP") }
            #expect(events.count == 2, "\(events)")
            let dropped = "before:" + (events.last?.prefix { $0 != " " } ?? "")

            #expect(Set([small, whole, rest]).count == 3)
            let asked = Self.content + ";" + Self.guards
            for (target, content) in [(first, small), (before, whole), (dropped, rest)] {
                let copy = try fixture.answer(asked, at: target, Self.restoring)
                // Its jobs stay off, also where the base backup knew of no extension.
                #expect(
                    copy.answer == content + "\ntimescaledb\n0\n0",
                    "\(target): \(copy.done.errors)")
                guard target != first else { continue }
                #expect(copy.done.errors.contains("needs the library of exactly version 2.19."))
                #expect(copy.done.errors.contains("background jobs stay off"))
            }
            try fixture.server.appendSettings(["shared_preload_libraries = ''"])
            try fixture.server.restart()
            let warned = try Self.tidemark(fixture, ["check"])
            #expect(
                warned.output.contains("is not in shared_preload_libraries"), "\(warned.output)")
        }
    }

    private static func tidemark(
        _ fixture: RestoreFixture, _ words: [String]
    ) throws -> CompletedProcess {
        try TidemarkProcess.run(
            words + ["--config", fixture.configuration], user: PostgresTools.user, seconds: 120)
    }
}
