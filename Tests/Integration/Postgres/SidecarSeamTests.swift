import Model
import Platform
import Postgres
import TestKit
import Testing

/// A server that was put back to a copy writes other history where the archive ends.
@Suite(.serialized, .timeLimit(.minutes(8)))
struct SidecarSeamTests {
    private let segment: UInt64 = 1 << 20

    /// An archive that ends with a segment, and its server on other history well beyond that
    /// place; the sidecar is stopped.
    private func rolledBack() throws -> (side: SidecarHarness, end: UInt64) {
        let server = try PostgresServer.start(
            .init(settings: ["autovacuum = off", "wal_keep_size = '256MB'"], segmentMebibytes: 1))
        try server.psql("create table t (s text)")
        let side = try SidecarHarness(server)
        #expect(try side.startWithBackup().terminate().isSuccess)
        try server.stop(.fast, seconds: 20)
        let cold = server.pgData + ".cold"
        try server.run("/bin/cp", ["-a", server.pgData, cold])
        try server.start()
        let sidecar = try side.start(["--no-backup"])
        for _ in 0..<2 {
            try server.psql("insert into t values ('archived'); select pg_switch_wal()")
        }
        try side.waitProved(side.moment())
        #expect(try sidecar.terminate().isSuccess)
        let end = try #require(try LSN.parse(side.status().archivedPosition ?? ""))
        try #require(end % segment < 4096, "the archive ends at \(LSN.text(end))")
        try server.stop(.fast, seconds: 20)
        try server.run("/bin/rm", ["-rf", server.pgData])
        try server.run("/bin/mv", [cold, server.pgData])
        try server.start()
        try eventually("the server is beyond the archive's end") {
            try server.psql(
                "insert into t values ('something else'), ('and more'); select pg_switch_wal()")
            let now = try server.psql("select pg_current_wal_flush_lsn()")
            return try #require(LSN.parse(now)) > end + segment
        }
        return (side, end - end % segment)
    }

    private func expectUntouched(_ side: SidecarHarness, _ before: [String]) throws {
        #expect(try side.segments() == before)
        let source = try side.status()
        #expect(source.state != "streaming")
        try side.expect(0, ["verify", "--deep"])
        let rows = try side.restored(to: "latest") {
            try side.ask($0, "select count(*), min(s) from t")
        }
        #expect(rows == "2|archived")
    }

    @Test
    func `other history behind an archive that ends with a segment is refused`() async throws {
        try await offPool {
            let (side, _) = try rolledBack()
            let before = try side.segments()
            let sidecar = try side.start(["--no-backup"])
            try sidecar.waitForLog("holds other bytes")
            #expect(try sidecar.terminate().isSuccess)
            try expectUntouched(side, before)
        }
    }

    @Test
    func `it is refused as well when the server no longer has the segment before`()
        async throws
    {
        try await offPool {
            let (side, end) = try rolledBack()
            let before = try side.segments()
            let name = try side.server.psql("select pg_walfile_name('\(LSN.text(end))')")
            try side.server.run("/bin/rm", [side.server.pgData + "/pg_wal/" + name])
            let sidecar = try side.start(["--no-backup"])
            try sidecar.waitForLog("came there another way")
            #expect(try sidecar.terminate().isSuccess)
            try expectUntouched(side, before)
        }
    }

    @Test
    func `a segment of other history in the archive is found by verify`() async throws {
        try await offPool {
            let (side, end) = try rolledBack()
            let name = try side.server.psql("select pg_walfile_name('\(LSN.text(end))')")
            let stored = try #require(try side.segments().first { $0.contains(name) })
            let path = side.server.pgData + "/pg_wal/" + name
            try side.server.run("/bin/rm", [stored])
            let refused = try side.expect(4, ["wal", "push", path])
            #expect(refused.contains("does not go on where"), "\(refused)")
            // So it has to come by a way that nobody watches.
            let other = try side.server.makeDirectory("other")
            let pushed = try TidemarkProcess.run(
                ["wal", "push", "--repository", "file://" + other, "--source", "ledger", path],
                user: PostgresTools.user)
            #expect(pushed.status.isSuccess, "\(pushed.errors)")
            try side.server.run("/bin/cp", [other + "/ledger/wal/1/" + name + ".lz4", stored])
            let text = try side.expect(4, ["verify", "--deep"])
            #expect(text.contains("does not go on where"), "\(text)")
        }
    }
}
