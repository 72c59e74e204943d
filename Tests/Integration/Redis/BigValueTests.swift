import Model
import Platform
import TestKit
import Testing

/// The largest things that Redis allows, through the program and back.
@Suite(.serialized, .timeLimit(.minutes(12)))
struct BigValueTests {
    private static let mostMebibytes = 100

    @Test func `a value of 512 MB and a million arguments come back in little memory`()
        async throws
    {
        try await offPool {
            // The default of `proto-max-bulk-len`: no value may be larger.
            let server = try RedisServer.start(["client-output-buffer-limit replica 0 0 0"])
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            // Numbers, so that no stretch of it is like another.
            try shell(
                "seq 1 70000000 | head -c 536870912 | redis-cli -s \"$0\" -e -x SET big",
                server.socketPath, seconds: 240)
            #expect(try server.command("STRLEN", "big") == "536870912")
            try server.pipe(resp(["RPUSH", "list"] + (0..<1_000_000).map { "\($0)" }))
            // Lines that stand at the start of a manifest, an RDB and a time in other files.
            let odd = "\u{0}\r\nfile a seq 1 type b\r\n$EOF:0\r\n#TS:1\r\n*1\r\n"
            try server.pipe(resp(["SET", "odd", odd]))
            try server.command("SET", "done", "1")
            try harness.waitArchived(seconds: 240)
            let peak = try #require(sidecar.peakMebibytes)
            #expect(peak < Self.mostMebibytes, "the sidecar's peak was \(peak) MiB")
            let digest = try server.command("DEBUG", "DIGEST", seconds: 120)
            #expect(try sidecar.terminate().isSuccess)
            try server.stop()

            let place = harness.folder + "/loaded"
            let restore = try TidemarkProcess(
                [
                    "restore", "--config", harness.config, "--to", "latest", "--into",
                    "sessions=" + place,
                ], environment: harness.environment, directory: harness.folder,
                user: harness.user)
            let restorePeak = try largest(of: restore, seconds: 180)
            #expect(restorePeak < Self.mostMebibytes, "the restore's peak was \(restorePeak) MiB")
            let copy = try RedisServer.start(["dir \(place)", "appendonly yes"])
            #expect(try copy.command("DEBUG", "DIGEST", seconds: 120) == digest)
            #expect(try copy.command("LLEN", "list") == "1000000")
        }
    }

    /// Zeros compress well, so what they take is time and memory of the two servers, not disk.
    @Test func `a live server gets a value of 512 MB in little memory`() async throws {
        try await offPool {
            let server = try RedisServer.start(["client-output-buffer-limit replica 0 0 0"])
            let fill = "head -c \"$1\" /dev/zero | redis-cli -s \"$0\" -e -x SET \"$2\""
            // One in the base backup, and the largest there is in the stream.
            try shell(fill, server.socketPath, "67108864", "base", seconds: 60)
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            try shell(fill, server.socketPath, "536870912", "big", seconds: 120)
            try server.command("SET", "done", "1", "EX", "5000")
            try harness.waitArchived(seconds: 120)
            let digest = try server.command("DEBUG", "DIGEST-VALUE", "base", "big", seconds: 60)
            #expect(try sidecar.terminate().isSuccess)
            // Its memory is the other's.
            try server.stop()

            let target = try RedisServer.start()
            let restore = try TidemarkProcess(
                [
                    "restore", "--config", harness.config, "--to", "latest", "--into",
                    "sessions=" + target.url, "--expiry", "persist",
                ], environment: harness.environment, directory: harness.folder,
                user: harness.user)
            let peak = try largest(of: restore, seconds: 180)
            #expect(peak < Self.mostMebibytes, "the restore's peak was \(peak) MiB")
            #expect(
                try target.command("DEBUG", "DIGEST-VALUE", "base", "big", seconds: 60) == digest)
            #expect(try target.command("STRLEN", "big") == "536870912")
            #expect(try target.command("TTL", "done") == "-1")
        }
    }

    /// Waits for the end and returns the largest resident size seen, in MiB.
    private func largest(of process: TidemarkProcess, seconds: Double) throws -> Int {
        var peak = 0
        let status: Platform.ExitStatus = try eventually("the restore ends", seconds: seconds) {
            peak = max(peak, process.peakMebibytes ?? 0)
            return process.process.status
        }
        #expect(status == .exited(0), "\(process.log)")
        try #require(peak > 0)
        return peak
    }
}
