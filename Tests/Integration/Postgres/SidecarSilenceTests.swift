import Glibc
import Model
import Platform
import TestKit
import Testing

/// A server that hangs: its connections stay open, and nothing comes through them.
@Suite(.timeLimit(.minutes(5)))
struct SidecarSilenceTests {
    @Test func `a server that hangs is stalled and says so, and its exposure grows`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let watched = try MonitoredSidecar(server)
            let sidecar = try watched.side.startWithBackup()
            try watched.waitHealth(200)
            let pid = try #require(server.pid)
            try server.run(
                "/bin/sh", ["-c", "kill -STOP \(pid) $(ps -o pid= --ppid \(pid))"])
            defer { kill(pid, SIGCONT) }
            // By what the answers say themselves: how often a busy machine lets us ask is no matter.
            var trusted = 0.0
            let stalled = try eventually("it is told", seconds: 60) { () -> StatusReport? in
                let status = try watched.status()
                if status.state == "stalled" { return status }
                trusted = max(trusted, status.exposureSeconds ?? .infinity)
                return nil
            }
            // The last proof may have been a second old, and a look takes half of one.
            #expect(trusted < 7.5, "\(trusted) s old, and not told")
            #expect(stalled.objective == "met", "the objective holds; the state alone is bad")
            #expect(
                stalled.reason.hasPrefix("the database has not answered for "), "\(stalled.reason)")
            #expect(try watched.get("/health/database").status == 503)
            let frozen = stalled.restorableTo
            try eventually("the exposure grows") {
                let status = try watched.status()
                #expect(status.restorableTo == frozen, "nothing is proved by silence")
                return status.exposureSeconds ?? 0 > (stalled.exposureSeconds ?? 0) + 1
            }
            // What a script sees of it: the objective holds, so 0, and the words.
            let check = try watched.side.tidemark(["status", "--check"])
            #expect(check.status == .exited(0), "\(check.errors)")
            #expect(check.errors.contains("ledger is stalled, its objective is still met: "))
            try server.run(
                "/bin/sh", ["-c", "kill -CONT \(pid) $(ps -o pid= --ppid \(pid))"])
            try watched.waitHealth(200)
            #expect(try sidecar.terminate(seconds: 10).isSuccess)
        }
    }

    @Test func `a server that answers slowly is told apart from one that hangs`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let watched = try MonitoredSidecar(server)
            let sidecar = try watched.side.startWithBackup()
            try watched.waitHealth(200)
            let backend = try #require(
                Int32(
                    server.psql(
                        """
                        select pid from pg_stat_activity
                        where query like '%pg_current_snapshot%' and pid <> pg_backend_pid()
                        """)))
            defer { kill(backend, SIGCONT) }
            /// The answers of two seconds wait for their end.
            func slow() throws -> StatusReport {
                kill(backend, SIGSTOP)
                poll(nil, 0, 2000)
                // Meanwhile nothing is proved.
                #expect(try watched.status().exposureSeconds ?? 0 > 1)
                kill(backend, SIGCONT)
                poll(nil, 0, 100)
                return try watched.status()
            }
            let told = try eventually("it is told", seconds: 60) { () -> StatusReport? in
                let status = try slow()
                #expect(status.state == "streaming", "\(status.reason)")
                return status.reason.isEmpty ? nil : status
            }
            #expect(told.reason.hasPrefix("the database took "), "\(told.reason)")
            try watched.waitHealth(200)
            try sidecar.waitForLog("the source takes more than a second to answer")
            try eventually("it answers soon again") { try watched.status().reason.isEmpty }
            try sidecar.waitForLog("probe answers again")
            #expect(try sidecar.terminate(seconds: 10).isSuccess)
        }
    }
}
