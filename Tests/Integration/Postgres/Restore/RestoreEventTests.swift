import Model
import Platform
import TestKit
import Testing

/// What was dropped or truncated is found in the WAL and comes back.
@Suite(.timeLimit(.minutes(5)))
struct RestoreEventTests {
    @Test func `a dropped and a truncated table come back to just before`() async throws {
        try await offPool {
            let fixture = try RestoreFixture()
            _ = try fixture.sql(
                """
                create table t as select 7 as i;
                create table u as select generate_series(1, 5) as i;
                create index on u (i);
                create temporary table gone as select 1;
                drop table gone;
                delete from u where i > 4;
                """)
            _ = try fixture.sql("begin; drop table t; rollback")
            try fixture.settle()
            #expect(try Self.find(fixture).isEmpty)
            _ = try fixture.sql("drop table t")
            _ = try fixture.sql("truncate u")
            _ = try fixture.sql("insert into u values (9)")
            try fixture.settle()
            fixture.stopSidecar()
            let events = try Self.find(fixture)
            try #require(events.count == 2, "\(events)")
            #expect(events[0].contains("DROP, TRUNCATE or rewrite (1 file) in transaction "))
            #expect(events[1].contains("DROP, TRUNCATE or rewrite (2 files) in transaction "))
            let ids = events.map { String($0.prefix { $0 != " " }) }
            let dropped = try fixture.answer("select i from t", at: "before:" + ids[0])
            #expect(dropped.answer == "7", "\(dropped.done.errors)")
            let truncated = try fixture.answer(
                "select count(*), to_regclass('t') from u", at: "before:" + ids[1])
            #expect(truncated.answer == "4|", "\(truncated.done.errors)")
            let dash = try #require(ids[0].lastIndex(of: "-"))
            let number = try #require(UInt64(ids[0][ids[0].index(after: dash)...]))
            let wrong = "before:\(ids[0][...dash])\(number + 8)"
            let refused = try fixture.answer("select i from t", at: wrong)
            #expect(refused.done.exitStatus == 3, "\(refused.done.errors)")
            for id in ids { #expect(refused.done.errors.contains(id), "\(refused.done.errors)") }
        }
    }

    /// The lines of `find` below its head.
    private static func find(_ fixture: RestoreFixture) throws -> [String] {
        let done = try TidemarkProcess.run(
            ["find", "--repository", "file://" + fixture.repository], user: PostgresTools.user)
        #expect(done.status.isSuccess, "\(done.errors)")
        if done.output.contains("nothing destructive") { return [] }
        return done.output.split(separator: "\n").dropFirst().map(String.init)
    }
}
