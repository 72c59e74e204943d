import Glibc
import Model
import Platform
import TestKit
import Testing

@Suite(.serialized, .timeLimit(.minutes(5)))
struct SidecarProofTests {
    /// Looks at the exposure for a while and returns the greatest.
    private func worst(_ side: SidecarHarness, looks: Int) throws -> Double {
        var worst = 0.0
        for _ in 0..<looks {
            let source = try side.status()
            #expect(source.state == "streaming", "\(source.reason)")
            worst = max(worst, try #require(source.exposureSeconds))
            poll(nil, 0, 500)
        }
        return worst
    }

    private func waitStreaming(_ side: SidecarHarness) throws {
        try eventually("exposure is small") {
            guard let source = try? side.status() else { return false }
            return source.state == "streaming" && (source.exposureSeconds ?? 99) < 3
        }
    }

    /// What the server wrote from a position on, a line of `pg_waldump` for each record.
    private func records(_ server: PostgresServer, from first: String) throws -> [String] {
        let end = try server.psql("select pg_current_wal_flush_lsn()")
        guard end != first else { return [] }
        let done = try server.run(
            "pg_waldump", ["-p", server.pgData + "/pg_wal", "-s", first, "-e", end])
        return done.output.split(separator: "\n").map(String.init)
    }

    @Test
    func `on an idle server the exposure stays small and no WAL is written for it`() async throws {
        try await offPool {
            let server = try PostgresServer.start(.init(settings: ["autovacuum = off"]))
            let side = try SidecarHarness(server)
            let sidecar = try side.startWithBackup()
            try waitStreaming(side)
            try server.psql("checkpoint")
            let first = try server.psql("select pg_current_wal_insert_lsn()")
            #expect(try worst(side, looks: 24) < 3)
            // A server's own notes of its running transactions come up to 25 s after the last
            // record: due every 15 s, looked at every 10 s by a background writer that sleeps.
            let own = try records(server, from: first).filter { !$0.contains("RUNNING_XACTS") }
            #expect(own == [])
            try server.psql("select pg_switch_wal()")
            #expect(try worst(side, looks: 4) < 3)
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test
    func `a writer idle in its transaction does not hold the exposure`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            try server.psql("create table t (i int)")
            let side = try SidecarHarness(server)
            let sidecar = try side.startWithBackup()
            try waitStreaming(side)
            let writer = try Subprocess(
                "/bin/sh",
                [
                    "-c", "(echo 'begin; insert into t values (1);'; sleep 60) | \"$0\" -Xq \"$1\"",
                    PostgresTools.path("psql"), server.url() + "?application_name=writer",
                ], SubprocessOptions(directory: "/tmp", signalOnParentDeath: .kill))
            try eventually("the writer is idle in its transaction") {
                try server.psql(
                    """
                    select count(*) from pg_stat_activity
                    where application_name = 'writer' and state = 'idle in transaction'
                    """) == "1"
            }
            #expect(try worst(side, looks: 6) < 3)
            writer.signal(SIGKILL)
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test
    func `exposure grows with the server stopped, and with the sidecar killed`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let side = try SidecarHarness(server, rpo: "1s")
            let sidecar = try side.startWithBackup()
            try waitStreaming(side)
            try server.stop(.fast, seconds: 10)
            let first = try growing(side)
            #expect(first.state != "streaming" && first.state != "stopped")
            #expect(try side.tidemark(["status", "--check"]).status == .exited(6))
            try server.start()
            try waitStreaming(side)
            sidecar.kill9()
            try eventually("status says stopped") { try side.status().state == "stopped" }
            let last = try growing(side)
            #expect(last.state == "stopped")
            #expect(try side.tidemark(["status", "--check"]).status == .exited(6))
        }
    }

    /// Waits until the exposure is over 3 s and sees it grow from one look to the next.
    private func growing(_ side: SidecarHarness) throws -> StatusReport {
        try eventually("exposure is over 3 s") {
            try (side.status().exposureSeconds ?? 0) > 3
        }
        let first = try side.status()
        poll(nil, 0, 1000)
        let second = try side.status()
        #expect(second.exposureSeconds ?? 0 > (first.exposureSeconds ?? 0) + 0.9)
        #expect(second.restorableTo == first.restorableTo)
        return second
    }
}
