import Model
import Platform
import Postgres
import TestKit
import Testing

@Suite(.serialized, .timeLimit(.minutes(5)))
struct SidecarLoadTests {
    @Test
    func `a bulk load and many small commits are followed to the end in bounded memory`()
        async throws
    {
        try await offPool {
            let server = try PostgresServer.start(.init(settings: ["max_wal_size = '4GB'"]))
            let side = try SidecarHarness(server)
            let sidecar = try side.startWithBackup()
            let before = try server.settle()
            try server.psql(
                """
                create table bulk as select g, md5(g::text) a, md5((g * 7)::text) b
                from generate_series(1, 1500000) g;
                create index on bulk (a);
                """, seconds: 120)
            try server.run("pgbench", ["-i", "-q", "-s", "5"], seconds: 120)
            try server.run("pgbench", ["-n", "-c", "4", "-T", "5"], seconds: 60)
            let end = try server.settle()
            #expect(end - before > 200 << 20)
            try eventually("the archive has the end") {
                try (LSN.parse(side.status().archivedPosition ?? "") ?? 0) >= end
            }
            let peak = try #require(sidecar.peakMebibytes)
            #expect(peak < 100, "the peak was \(peak) MiB")
            #expect(try sidecar.terminate().isSuccess)
            try server.psql("select pg_switch_wal()")
            try side.expectSameFiles()
        }
    }
}
