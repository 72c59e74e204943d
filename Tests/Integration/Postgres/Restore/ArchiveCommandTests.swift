import Glibc
import Model
import Platform
import TestKit
import Testing

/// `wal push` as a real server's archive_command, beside a sidecar that archives the same.
@Suite(.timeLimit(.minutes(5)))
struct ArchiveCommandTests {
    /// A server that pushes, a sidecar that streams.
    private func both() throws -> (side: SidecarHarness, sidecar: TidemarkProcess) {
        let server = try PostgresServer.start(
            .init(
                settings: ["archive_mode = on", "archive_command = ''", "wal_keep_size = '1GB'"],
                segmentMebibytes: 1))
        try server.psql("create table t (s text)")
        let side = try SidecarHarness(server)
        let sidecar = try side.startWithBackup()
        let program = try TidemarkProcess.program()
        try server.appendSettings([
            "archive_command = '\(program) wal push --config \(side.config) %p'"
        ])
        try server.reload()
        return (side, sidecar)
    }

    /// Writes that many segments of WAL and waits until the server has handed them over.
    private func writeSegments(_ server: PostgresServer, _ count: Int) throws {
        let last = try write(server, count)
        try eventually("\(last) was handed over", seconds: 60) {
            try server.psql("select last_archived_wal from pg_stat_archiver") >= last
        }
        #expect(try failures(server) == "0", "\(server.log.suffix(2000))")
    }

    /// Returns the name of the last full segment.
    private func write(_ server: PostgresServer, _ count: Int) throws -> String {
        try server.psql(
            """
            insert into t select string_agg(md5(random()::text), '')
            from generate_series(1, \(count * 512)) i, generate_series(1, 60) group by i;
            select pg_walfile_name(pg_switch_wal())
            """)
    }

    private func failures(_ server: PostgresServer) throws -> String {
        try server.psql("select failed_count from pg_stat_archiver")
    }

    @Test
    func `both archive the same without a failure, and without the sidecar one goes on`()
        async throws
    {
        try await offPool {
            let (side, first) = try both()
            try writeSegments(side.server, 6)
            #expect(try first.terminate().isSuccess)
            try writeSegments(side.server, 4)
            try side.expect(0, ["verify", "--deep"])
            // The sidecar takes up what the server has pushed meanwhile.
            let second = try side.start(["--no-backup"])
            try writeSegments(side.server, 2)
            try side.waitProved(side.moment())
            #expect(try second.terminate().isSuccess)
            try side.expect(0, ["verify", "--deep"])
            try side.expectSameFiles()
        }
    }

    @Test
    func `a push waits for a sidecar that is behind, and goes through once it has caught up`()
        async throws
    {
        try await offPool {
            let (side, sidecar) = try both()
            try writeSegments(side.server, 1)
            // Its commit lies in the segment that the sidecar now holds open.
            try side.server.psql("insert into t values ('open')")
            try side.waitProved(side.moment())
            sidecar.process.signal(SIGSTOP)
            let before = try side.server.psql("select last_archived_wal from pg_stat_archiver")
            let last = try write(side.server, 3)
            poll(nil, 0, 1500)
            let reached = try side.server.psql("select last_archived_wal from pg_stat_archiver")
            #expect(reached == before && reached < last)
            sidecar.process.signal(SIGCONT)
            try writeSegments(side.server, 1)
            try side.waitProved(side.moment())
            #expect(try sidecar.terminate().isSuccess)
            try side.expect(0, ["verify", "--deep"])
            try side.expectSameFiles()
        }
    }

    @Test
    func `beside a sidecar a lost segment is brought back, and other bytes are refused`()
        async throws
    {
        try await offPool {
            let (side, sidecar) = try both()
            try writeSegments(side.server, 4)
            let stored = try #require(side.segments().dropLast(2).last)
            let name = String(stored.split(separator: "/").last?.prefix(24) ?? "")
            let copy = side.folder + "/" + name
            try side.server.run("/bin/cp", [side.server.pgData + "/pg_wal/" + name, copy])
            try side.server.run("/bin/rm", [stored])
            try side.expect(0, ["wal", "push", copy])
            try side.expect(0, ["wal", "push", copy])
            TextFile.flipBit(copy, at: 0.6)
            let text = try side.expect(4, ["wal", "push", copy])
            #expect(text.contains("hold different bytes"), "\(text)")
            #expect(text.contains("two servers write to one archive"))
            #expect(sidecar.isRunning)
            #expect(try sidecar.terminate().isSuccess)
            try side.expect(0, ["verify", "--deep"])
            try side.expectSameFiles()
        }
    }
}
