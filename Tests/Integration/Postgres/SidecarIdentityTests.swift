import Glibc
import Model
import Platform
import TestKit
import Testing

/// The server behind the address of a running sidecar is not the one it was.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct SidecarIdentityTests {
    private func waitStreaming(_ side: SidecarHarness) throws {
        try eventually("the sidecar streams", seconds: 60) {
            guard let source = try? side.status() else { return false }
            return source.state == "streaming" && (source.exposureSeconds ?? 99) < 3
        }
    }

    /// Nothing gets proved from now on, while the server answers.
    private func expectNothingProved(_ side: SidecarHarness, _ words: String) throws {
        let first = try side.status()
        poll(nil, 0, 5000)
        let last = try side.status()
        #expect(last.restorableTo == first.restorableTo)
        #expect((last.exposureSeconds ?? 0) > (first.exposureSeconds ?? 0) + 4)
        #expect(last.state != "streaming")
        #expect(last.reason.contains(words), "\(last.reason)")
        #expect(try side.tidemark(["status", "--check"]).status == .exited(6))
    }

    @Test
    func `a new cluster on the same port proves nothing`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let side = try SidecarHarness(server, rpo: "2s")
            let sidecar = try side.startWithBackup()
            try server.psql("create table t as select generate_series(1, 100000)")
            try side.waitProved(side.moment())
            try server.stop()
            try server.run(
                "/bin/sh",
                [
                    "-c",
                    """
                    mv "$0" "$0.old" && "$1" -D "$0" -U postgres --auth=trust --no-sync >&2 &&
                    cp "$0.old/postgresql.conf" "$0/"
                    """, server.pgData, PostgresTools.path("initdb"),
                ])
            try server.start()
            try server.psql("create table other (i int)")
            try sidecar.waitForLog("another cluster")
            try expectNothingProved(side, "another cluster")
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test
    func `a server that was rolled back to an older copy proves nothing`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let side = try SidecarHarness(server, rpo: "2s")
            let sidecar = try side.startWithBackup()
            try waitStreaming(side)
            try server.stop()
            try server.run("/bin/cp", ["-a", server.pgData, server.pgData + ".copy"])
            try server.start()
            try server.psql("create table t as select generate_series(1, 100000)")
            try side.waitProved(side.moment())
            try server.stop()
            try server.run(
                "/bin/sh", ["-c", "mv \"$0\" \"$0.old\" && mv \"$0.copy\" \"$0\"", server.pgData])
            try server.start()
            try server.psql("create table other as select generate_series(1, 10)")
            try sidecar.waitForLog("lost WAL that it had sent")
            try expectNothingProved(side, "lost WAL that it had sent")
            #expect(try sidecar.terminate().isSuccess)
        }
    }
}
