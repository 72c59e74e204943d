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

    /// Without the right to INFO only PINGs tell that the server lives.
    @Test func `PINGs that stop are told, and what is shown grows meanwhile`() async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-ping-replica-period 1"])
            try server.lines("ACL SETUSER arch on >pw +psync +replconf +ping\n")
            let port = try freePort()
            let harness = try ArchiveHarness(server)
            try harness.write(
                [("sessions", "redis://arch:pw@127.0.0.1:\(server.port)")],
                listen: "127.0.0.1:\(port)")
            let sidecar = try harness.startWithBackup()
            // It needs no proof, so it need not wait for two PINGs.
            #expect(!sidecar.log.contains("base backup failed"), "\(sidecar.log)")
            try eventually("PINGs prove", seconds: 30) {
                let status = try? Self.status(port)
                return status?.state == "streaming" && status?.exposureSeconds ?? 99 < 4
            }
            #expect(try Self.status(port).reason.contains("known only to a PING of the stream"))
            let begun = Self.now()
            try server.command("CONFIG", "SET", "repl-ping-replica-period", "3600")
            let told = try Self.waitTold(port)
            #expect(told.status.state == "stalled")
            #expect(told.status.reason.contains("has carried no PING for"), "\(told.status)")
            // Ten seconds are usual; half as much more, and five as with any other silence.
            #expect(told.trusted < 25, "\(told.trusted) s old, and not told")
            #expect(try #require(told.status.exposureSeconds) >= Self.now() - begun - 2)
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    private static func now() -> Double {
        Double(SystemTimeSource().monotonic().nanoseconds) / 1e9
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
