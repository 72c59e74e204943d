import Model
import Platform
import TestKit
import Testing

@Suite(.timeLimit(.minutes(5)))
struct RestoreLimitsTests {
    @Test
    func `limits raised after the base backup do not stop the replay`() async throws {
        try await offPool {
            let fixture = try RestoreFixture(.init(segmentMebibytes: 1))
            defer { fixture.stopSidecar() }
            _ = try fixture.sql(
                """
                create table t (i int);
                alter system set max_prepared_transactions = 40;
                alter system set max_connections = 150;
                alter system set max_locks_per_transaction = 200;
                """)
            try fixture.server.restart()
            for number in 1...3 {
                _ = try fixture.sql(
                    """
                    begin; insert into t values (\(number)); prepare transaction 'p\(number)'
                    """)
            }
            _ = try fixture.sql("commit prepared 'p2'")
            try fixture.settle()
            let (done, answer) = try fixture.answer(
                "select count(*) from pg_prepared_xacts union all select i from t", at: "latest")
            #expect(done.status.isSuccess, "\(done.errors)")
            #expect(answer == "2\n2")
        }
    }
}
