import Model
import TestKit
import Testing

/// The fixture itself: what other tests rely on.
@Suite struct PostgresServerTests {
    @Test func `a server starts, answers, restarts and survives a kill`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            #expect(try server.psql("select 6 * 7") == "42")
            try server.psql(
                "create table t(a int, b text); insert into t values (1, 'x'), (2, null)")
            #expect(try server.psql("select * from t order by a") == "1|x\n2|")
            try server.restart()
            #expect(try server.psql("select count(*) from t") == "2")
            try server.kill9()
            #expect(!server.isRunning)
            try server.start()
            #expect(try server.psql("select count(*) from t") == "2")
            #expect(server.log.contains("automatic recovery in progress"))
            let error = #expect(throws: TidemarkError.self) { try server.psql("select nothing") }
            #expect(error?.message.contains("column \"nothing\" does not exist") == true)
        }
    }

    @Test func `options reach the cluster`() async throws {
        try await offPool {
            let server = try PostgresServer.start(
                PostgresOptions(
                    settings: ["work_mem = '7MB'"], segmentMebibytes: 1, checksums: true,
                    authentication: .password("sec ret'x")))
            let shown = try server.psql(
                "show work_mem; show wal_segment_size; show data_checksums; show fsync")
            #expect(shown == "7MB\n1MB\non\noff")
            #expect(throws: TidemarkError.self) { try server.psql("select 1", password: "wrong") }
        }
    }

    @Test func `a standby follows and can be promoted`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let standby = try server.makeStandby()
            try server.psql("create table t as select 1 as a")
            try eventually("the table is there") {
                try standby.psql("select count(*) from pg_class where relname = 't'") == "1"
            }
            try standby.promote()
            try standby.psql("insert into t values (2)")
            #expect(try standby.psql("select sum(a) from t") == "3")
        }
    }
}
