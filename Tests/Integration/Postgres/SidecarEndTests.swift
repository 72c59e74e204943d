import Glibc
import Model
import Platform
import TestKit
import Testing

/// The sidecar goes on where the archive's unbroken history ends, whatever else lies there.
@Suite(.serialized, .timeLimit(.minutes(8)))
struct SidecarEndTests {
    /// A server whose newest segments are not in the archive but for the very last, which
    /// archive_command has stored; the sidecar is stopped.
    private func pushed() throws -> (SidecarHarness, missing: Int) {
        let server = try PostgresServer.start(
            .init(settings: ["max_wal_size = 32MB", "wal_recycle = off"], segmentMebibytes: 1))
        try server.psql("create table t (s text)")
        let side = try SidecarHarness(server)
        let sidecar = try side.startWithBackup()
        #expect(try sidecar.terminate().isSuccess)
        var last = ""
        for _ in 0..<4 {
            try server.psql("insert into t values ('x')")
            last = try server.psql("select pg_walfile_name(pg_current_wal_lsn())")
            try server.psql("select pg_switch_wal()")
        }
        try side.expect(0, ["wal", "push", server.pgData + "/pg_wal/" + last])
        return (side, 3)
    }

    @Test
    func `segments that were pushed ahead do not make it skip what comes before them`()
        async throws
    {
        try await offPool {
            let (side, missing) = try pushed()
            let before = try side.segments().count
            let sidecar = try side.start()
            try sidecar.waitForLog("a hole in the archive is archived again")
            try side.waitProved(side.moment())
            #expect(try side.segments().count >= before + missing)
            #expect(try side.status().gaps.isEmpty)
            #expect(try sidecar.terminate().isSuccess)
            try side.expect(0, ["verify", "--deep"])
            let rows = try side.restored(to: "latest") {
                try side.ask($0, "select count(*) from t")
            }
            #expect(rows == "4")
        }
    }

    @Test
    func `a hole that the server no longer has becomes a gap and a new base backup`()
        async throws
    {
        try await offPool {
            let (side, _) = try pushed()
            let first = try side.status().lastBackup?.id
            try side.server.psql("select pg_drop_replication_slot('tidemark_ledger')")
            for _ in 0..<3 {
                try side.server.psql(
                    """
                    insert into t select repeat('x', 1000) from generate_series(1, 3000);
                    select pg_switch_wal(); checkpoint
                    """)
            }
            let sidecar = try side.start()
            try sidecar.waitForLog("gap in the archive")
            try eventually("a new base backup is there", seconds: 90) {
                try side.status().lastBackup?.id != first
            }
            // One before the pushed segment, one behind it.
            #expect(try side.status().gaps.count == 2)
            try side.waitProved(side.moment())
            #expect(try sidecar.terminate().isSuccess)
            try side.expect(0, ["verify", "--deep"])
            // Known by now: no further gap, no further base backup.
            let again = try side.start()
            try side.waitProved(side.moment())
            let ending = try again.terminate()
            #expect(ending.isSuccess, "\(ending): \(again.log)")
            #expect(try side.status().gaps.count == 2)
            let rows = try side.restored(to: "latest") {
                try side.ask($0, "select count(*) from t")
            }
            #expect(rows == "9004")
        }
    }

    /// What a kill leaves between the making of a segment's file and the first write to it.
    @Test
    func `an open segment without a byte behind the last one is the archive's end`() async throws {
        try await offPool {
            let server = try PostgresServer.start(.init(segmentMebibytes: 1))
            try server.psql("create table t (s text)")
            let side = try SidecarHarness(server)
            #expect(try side.startWithBackup().terminate().isSuccess)
            // The last segment is whole, and its last record ends before it does.
            try server.psql("insert into t values ('x')")
            let last = try server.psql("select pg_walfile_name(pg_current_wal_lsn())")
            let next = try server.psql(
                "select pg_walfile_name(pg_switch_wal() + 1024 * 1024)")
            try side.expect(0, ["wal", "push", server.pgData + "/pg_wal/" + last])
            let folder = try #require(side.segments().last).split(separator: "/").dropLast()
            try server.run(
                "/usr/bin/touch", ["/" + folder.joined(separator: "/") + "/\(next).partial"])
            let rows = try side.restored(to: "latest") {
                try side.ask($0, "select count(*) from t")
            }
            #expect(rows == "1")
            try side.expect(0, ["verify", "--deep"])
        }
    }

    @Test
    func `several holes cost one reconnect each and end well`() async throws {
        try await offPool {
            let server = try PostgresServer.start(
                .init(settings: ["wal_keep_size = '64MB'"], segmentMebibytes: 1))
            try server.psql("create table t (s text)")
            let side = try SidecarHarness(server)
            #expect(try side.startWithBackup().terminate().isSuccess)
            for number in 1...9 {
                try server.psql("insert into t values ('x')")
                let name = try server.psql("select pg_walfile_name(pg_current_wal_lsn())")
                try server.psql("select pg_switch_wal()")
                if number % 3 == 0 {
                    try side.expect(0, ["wal", "push", server.pgData + "/pg_wal/" + name])
                }
            }
            let sidecar = try side.start(["--no-backup"])
            try side.waitProved(side.moment())
            #expect(try sidecar.terminate().isSuccess)
            let log = sidecar.log
            func count(_ words: String) -> Int {
                log.split(separator: "\n").count { $0.contains(words) }
            }
            #expect(count("a hole in the archive is archived again") == 3, "\(log)")
            #expect(count("stream opened") == 4, "\(log)")
            #expect(count("the stream failed") == 0, "\(log)")
            #expect(try side.status().gaps.isEmpty)
            try side.expect(0, ["verify", "--deep"])
            try side.expectSameFiles()
        }
    }
}
