import Glibc
import Model
import Platform
import TestKit
import Testing

/// What the sidecar says of a Redis that is gone, and of one that hangs.
@Suite(.timeLimit(.minutes(5)))
struct SidecarSilenceTests {
    private static func status(_ port: Int) throws -> StatusReport {
        try StatusReport.first(of: try LoopbackHTTP.get(port, "/api/status").body)
    }

    /// Waits until it is streaming no more. Returns what is said then, and how old the newest proof
    /// was at most while it was still called streaming.
    private static func waitTold(_ port: Int) throws -> (status: StatusReport, trusted: Double) {
        var trusted = 0.0
        let told = try eventually("it is told", seconds: 60) { () -> StatusReport? in
            let status = try status(port)
            guard status.state == "streaming" else { return status }
            trusted = max(trusted, status.exposureSeconds ?? .infinity)
            return nil
        }
        return (told, trusted)
    }

    private static func waitStreaming(_ port: Int) throws {
        try eventually("it is followed", seconds: 60) {
            let status = try? status(port)
            return status?.state == "streaming" && status?.exposureSeconds ?? 99 < 3
        }
    }

    /// Without the rights to INFO and ROLE nobody knows how far the archive is behind.
    @Test func `a source that may not be asked is archived, and no exposure is claimed`()
        async throws
    {
        try await offPool {
            // Longer than a source that may be asked may be silent.
            let server = try RedisServer.start(["repl-ping-replica-period 7"])
            try server.lines("ACL SETUSER arch on >pw +psync +replconf +ping\n")
            let port = try freePort()
            let harness = try ArchiveHarness(server)
            try harness.write(
                [("sessions", "redis://arch:pw@127.0.0.1:\(server.port)")],
                listen: "127.0.0.1:\(port)")
            let sidecar = try harness.startWithBackup()
            #expect(!sidecar.log.contains("base backup failed"), "\(sidecar.log)")
            try server.command("SET", "k", "1")
            // PINGs are among it.
            try harness.waitArchived()
            let status = try Self.status(port)
            #expect(status.exposureSeconds == nil, "\(status)")
            #expect(status.reason.contains("may use neither INFO nor ROLE"), "\(status)")
            #expect(status.objective != "met", "\(status)")
            // Idle: two PINGs come, and in between it is called streaming all the time.
            let idle = try server.offset()
            try eventually("two PINGs have come", seconds: 30) {
                let state = try Self.status(port).state
                guard state == "streaming" else { throw TidemarkError(.failed, state) }
                return try server.offset() >= idle + 28
            }
            try server.lines("ACL SETUSER arch +role\n")
            try Self.waitStreaming(port)
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test func `a killed server is told within five seconds, one that hangs soon after`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start()
            let port = try freePort()
            let harness = try ArchiveHarness(server)
            try harness.watch(port)
            let sidecar = try harness.startWithBackup()
            try Self.waitStreaming(port)

            let pid = try #require(Int32(try server.info("process_id")))
            kill(pid, SIGSTOP)
            let hanging = try Self.waitTold(port)
            kill(pid, SIGCONT)
            #expect(hanging.status.state == "stalled")
            #expect(hanging.trusted < 7.5, "\(hanging.trusted) s old, and not told")
            #expect(hanging.status.reason.contains("has not answered"), "\(hanging.status.reason)")
            try Self.waitStreaming(port)

            server.kill9()
            let gone = try Self.waitTold(port)
            #expect(["connecting", "stalled"].contains(gone.status.state))
            #expect(gone.trusted < 5, "\(gone.trusted) s old, and not told")
            #expect(try sidecar.terminate().isSuccess)
        }
    }
}
