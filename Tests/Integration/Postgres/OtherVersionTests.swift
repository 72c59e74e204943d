import Model
import Platform
import TestKit
import Testing

/// Servers of other versions than Debian's, from stream to started copy.
@Suite(.timeLimit(.minutes(5)))
struct OtherVersionTests {
    @Test(arguments: [16, 18])
    func `an archive comes back to a time, a position, before an event and to the end`(
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
            // Another base backup, taken over what has happened since.
            let backup = try Self.tidemark(fixture, ["backup"])
            #expect(backup.status.isSuccess, "\(backup.errors)")
            _ = try fixture.sql("drop table d")
            try fixture.settle()
            fixture.stopSidecar()
            let deep = try Self.tidemark(fixture, ["verify", "--deep"])
            #expect(deep.status.isSuccess, "\(deep.errors)\(deep.output)")
            let found = try Self.tidemark(fixture, ["find"]).output.split(separator: "\n")
            let event = try #require(found.last { $0.contains("DROP") }, "\(found)")
            let before = "before:" + event.prefix { $0 != " " }
            let asked = "select count(*), to_regclass('d') from t"
            for (target, answer) in [
                (early, "20000|d"), ("lsn:" + position, "40000|d"), (before, "39990|d"),
                ("latest", "39990|"),
            ] {
                let copy = try fixture.answer(asked, at: target, ["--pg-bin", bin])
                #expect(copy.answer == answer, "\(target): \(copy.done.errors)")
            }
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
