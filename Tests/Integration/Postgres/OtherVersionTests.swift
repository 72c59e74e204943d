import Model
import Platform
import Repository
import TestKit
import Testing

/// Servers of other versions than Debian's, from stream to started copy.
@Suite(.timeLimit(.minutes(5)))
struct OtherVersionTests {
    @Test(arguments: OtherServers.postgresMajors)
    func `an archive comes back to a time, a position, a point, before an event and to the end`(
        major: Int
    ) async throws {
        try await offPool {
            let bin = OtherServers.postgres(major)
            let fixture = try RestoreFixture(PostgresOptions(segmentMebibytes: 1, bin: bin))
            #expect(try fixture.sql("show server_version").hasPrefix("\(major)."))
            _ = try fixture.sql(
                "create table t as select generate_series(1, 20000) as i; create table d (i int)")
            try fixture.settle()
            let early = try fixture.now()
            _ = try fixture.sql("insert into t select generate_series(20001, 40000)")
            let position = try fixture.sql("select pg_current_wal_lsn()")
            _ = try fixture.sql("select pg_switch_wal(); delete from t where i <= 10")
            let check = try Self.tidemark(fixture, ["check"])
            #expect(check.output.contains("Postgres \(major)."), "\(check.output)")
            let mark = try Self.tidemark(fixture, ["mark", "release"])
            #expect(mark.status.isSuccess, "\(mark.errors)")
            _ = try fixture.sql("delete from t where i <= 20")
            // Another base backup, taken over what has happened since.
            let backup = try Self.tidemark(fixture, ["backup"])
            #expect(backup.status.isSuccess, "\(backup.errors)")
            _ = try fixture.sql("drop table d")
            let end = try fixture.sql("select pg_current_wal_lsn()")
            try fixture.settle()
            fixture.stopSidecar()
            let deep = try Self.tidemark(fixture, ["verify", "--deep"])
            #expect(deep.status.isSuccess, "\(deep.errors)\(deep.output)")
            try Self.judge(fixture, to: end, major)
            let found = try Self.tidemark(fixture, ["find"]).output.split(separator: "\n")
            let event = try #require(found.last { $0.contains("DROP") }, "\(found)")
            let before = "before:" + event.prefix { $0 != " " }
            let asked = "select count(*), to_regclass('d') from t"
            for (target, answer) in [
                (early, "20000|d"), ("lsn:" + position, "40000|d"), ("point:release", "39990|d"),
                (before, "39980|d"), ("latest", "39980|"),
            ] {
                let copy = try fixture.answer(asked, at: target, ["--pg-bin", bin])
                #expect(copy.answer == answer, "\(target): \(copy.done.errors)")
            }
        }
    }

    /// What Postgres's own programs of that version say of the base backup and the WAL behind it.
    /// (In the package that 18 comes out of pg_verifybackup crashes.)
    private static func judge(
        _ fixture: RestoreFixture, to end: String, _ major: Int
    ) throws {
        let folder = try fixture.server.makeDirectory("exported")
        let exported = try tidemark(
            fixture, ["export", "ledger", "--to", "latest", "--into", folder])
        try #require(exported.status.isSuccess, "\(exported.errors)")
        let told = try fixture.server.run(
            "/bin/sh",
            [
                "-ec",
                """
                mkdir -m 0700 "$0/data" && tar -xf "$0/base.tar" -C "$0/data"
                cp "$0/backup_manifest" "$0/data"
                for f in "$0"/*.partial; do mv "$f" "${f%.partial}"; done
                [ "$2" = 18 ] || "$1/pg_verifybackup" -w "$0" "$0/data"
                first=$(ls "$0" | grep -E '^[0-9A-F]{24}$' | head -n 1)
                start=$(sed -n 's/^START WAL LOCATION: \\([0-9A-F/]*\\) .*/\\1/p' "$0/data/backup_label")
                "$1/pg_waldump" -p "$0" -s "$start" -e "$3"
                """, folder, fixture.server.options.bin, "\(major)", end,
            ]
        ).output
        #expect(major == 18 || told.contains("backup successfully verified"), "\(told.prefix(500))")
        #expect(told.contains("desc: COMMIT"))
    }

    @Test(arguments: OtherServers.postgresMajors)
    func `a standby is followed through its promotion`(major: Int) async throws {
        try await offPool {
            let bin = OtherServers.postgres(major)
            let fixture = try RestoreFixture(PostgresOptions(segmentMebibytes: 1, bin: bin))
            _ = try fixture.sql("create table t as select 1 as i")
            let standby = try fixture.server.makeStandby()
            try eventually("the standby follows") {
                (try? standby.psql("select count(*) from t")) == "1"
            }
            // Both have it; then each has something of its own.
            try standby.stop()
            _ = try fixture.sql("insert into t values (2)")
            try fixture.settle()
            fixture.stopSidecar()
            try fixture.server.kill9()
            try standby.start()
            try standby.promote()
            try TextFile.write(
                fixture.configuration,
                """
                repository: { url: "file://\(fixture.repository)" }
                flush: { interval: 100ms }
                sources: { ledger: { url: "\(standby.url())" } }

                """)
            try fixture.startSidecar()
            try standby.psql("insert into t values (3)")
            let moment = try #require(
                CommitTime(
                    try standby.psql(
                        """
                        select to_char(clock_timestamp() at time zone 'utc',
                            'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                        """)))
            try eventually("the new primary's row is proved", seconds: 60) {
                let mark = try fixture.archive.watermark(RestoreFixture.source)
                return mark.flatMap { $0.restorableTo.map { $0 >= moment } } ?? false
            }
            fixture.stopSidecar()
            let deep = try Self.tidemark(fixture, ["verify", "--deep"])
            #expect(deep.status.isSuccess, "\(deep.errors)\(deep.output)")
            let asked = "select string_agg(i::text, ',' order by i) from t"
            let new = try fixture.answer(asked, at: "latest", ["--pg-bin", bin])
            #expect(new.answer == "1,3", "\(new.done.errors)")
            let old = try fixture.answer(
                asked, at: "latest", ["--pg-bin", bin, "--timeline", "1"])
            #expect(old.answer == "1,2", "\(old.done.errors)")
        }
    }

    /// With the configuration that the sidecar runs with.
    private static func tidemark(
        _ fixture: RestoreFixture, _ words: [String]
    ) throws -> CompletedProcess {
        try TidemarkProcess.run(
            words + ["--config", fixture.configuration], user: PostgresTools.user, seconds: 120)
    }
}
