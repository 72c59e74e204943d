import FoundationEssentials
import Glibc
import Model
import Platform
import TestKit
import Testing

/// Two sidecars, a damaged watermark, a server that hangs.
@Suite(.timeLimit(.minutes(5)))
struct SidecarTurnTests {
    private func waitStreaming(_ side: SidecarHarness) throws {
        try eventually("the sidecar streams", seconds: 60) {
            guard let source = try? side.status() else { return false }
            return source.state == "streaming" && (source.exposureSeconds ?? 99) < 3
        }
    }

    @Test
    func `a second sidecar is refused, writes nothing, and takes over when the first is gone`()
        async throws
    {
        try await offPool {
            let server = try PostgresServer.start()
            let side = try SidecarHarness(server)
            let first = try side.startWithBackup()
            try waitStreaming(side)
            let second = try side.start()
            try second.waitForLog("is being archived here already")
            #expect(second.log.contains("stop one of the two"))
            for _ in 0..<6 {
                #expect(try side.status().state == "streaming")
                poll(nil, 0, 300)
            }
            // Its end is not the end of the stream.
            #expect(try second.terminate().isSuccess)
            #expect(try side.status().state == "streaming")
            let third = try side.start()
            try third.waitForLog("is being archived here already")
            first.kill9()
            try third.waitForLog("stream opened", seconds: 30)
            try server.psql("create table t (i int)")
            try side.waitProved(side.moment())
            try waitStreaming(side)
            #expect(try third.terminate().isSuccess)
            try side.expect(0, ["verify", "--deep"])
        }
    }

    @Test
    func `a damaged watermark is set aside, and archiving goes on`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let side = try SidecarHarness(server)
            #expect(try side.startWithBackup().terminate().isSuccess)
            let file = side.archive + "/ledger/watermark.json"
            try server.run(
                "/bin/sed", ["-i", "s/\"received\" : ./\"received\" : 9/", file])
            let source = try side.status()
            #expect(source.exposureSeconds == nil && source.objective == "breached")
            #expect(source.reason.contains("is damaged"), "\(source.reason)")
            #expect(!source.reason.contains("Decoding"))
            try side.expect(6, ["status", "--check"])
            try side.expect(4, ["verify"])
            let sidecar = try side.start()
            try sidecar.waitForLog("it was set aside as ledger/watermark.json.damaged-")
            try side.waitProved(side.moment())
            try waitStreaming(side)
            #expect(try sidecar.terminate().isSuccess)
            try side.expect(0, ["verify"])
        }
    }

    @Test
    func `a hung server does not hold the end of the sidecar`() async throws {
        try await offPool {
            let server = try PostgresServer.start()
            let side = try SidecarHarness(server)
            let sidecar = try side.startWithBackup()
            try waitStreaming(side)
            let pid = try #require(server.pid)
            let children = try server.psql("select pid from pg_stat_activity")
                .split(separator: "\n").compactMap { Int32($0) }
            let all = [pid] + children
            for process in all { kill(process, SIGSTOP) }
            defer { for process in all { kill(process, SIGCONT) } }
            // Time for a probe to be asked and left without an answer.
            poll(nil, 0, 2500)
            #expect(try sidecar.terminate(seconds: 3).isSuccess)
            #expect(try side.status().state == "stopped")
        }
    }
}
