import Model
import Platform
import TestKit
import Testing

/// Everything at once: a benchmark's mixed load, connections that are killed, a sidecar that is.
@Suite(.timeLimit(.minutes(5)))
struct HardLoadTests {
    @Test func `no reconnect and no kill under a mixed load loses or doubles a byte`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start([
                "repl-backlog-size 256mb", "client-output-buffer-limit replica 0 0 0",
            ])
            let harness = try ArchiveHarness(server)
            let recorder = try StreamRecorder(server, harness.folder)
            var sidecar = try harness.startWithBackup()
            let isStopped = Monitor(false)
            let load = DedicatedThread("benchmark") { () throws(TidemarkError) in
                while !isStopped.read({ $0 }) { try Self.benchmark(server) }
                return true
            }
            var random = SystemRandomNumberGenerator()
            for round in 0..<10 {
                harness.pause(Double.random(in: 0.1...0.6, using: &random))
                if round % 2 == 0 {
                    try server.command("CLIENT", "KILL", "ID", try archiver(server))
                } else {
                    sidecar.kill9()
                    sidecar = try harness.start()
                    try sidecar.waitForLog("stream opened")
                }
            }
            isStopped.update { $0 = true }
            _ = try load.join()
            try server.command("SET", "last", "1")
            try harness.waitArchived(seconds: 120)
            let timeline = try harness.timeline()
            #expect(try harness.status().gaps.isEmpty)
            let digest = try server.command("DEBUG", "DIGEST")
            #expect(try sidecar.terminate().isSuccess)
            try recorder.stop(at: try server.offset())
            try harness.expect(0, ["verify", "--deep"])
            #expect(
                try recorder.differences(from: harness.archive + "/sessions/stream/" + timeline)
                    == "")
            #expect(try harness.loaded(to: "latest").command("DEBUG", "DIGEST") == digest)
        }
    }

    /// A few thousand commands of every kind that redis-benchmark has.
    private static func benchmark(_ server: RedisServer) throws(TidemarkError) {
        let done = try Subprocess.run(
            "redis-benchmark",
            [
                "-s", server.socketPath, "-q", "-P", "8", "-c", "8", "-r", "5000", "-n", "1000",
                "-d", "40", "-t", "set,incr,lpush,rpush,rpop,sadd,hset,spop,zadd,zpopmin,mset",
            ], seconds: 120)
        guard done.status.isSuccess else {
            throw TidemarkError(.failed, "redis-benchmark: \(done.errors)\(done.output)")
        }
    }

    /// The id of the archiver's own connection at the server.
    private func archiver(_ server: RedisServer) throws -> String {
        try eventually("the archiver is connected", seconds: 60) {
            let lines = try server.command("CLIENT", "LIST", "TYPE", "replica")
                .split(separator: "\n")
            return lines.first { $0.contains("name=tidemark") }.flatMap { line in
                line.split(separator: " ").first { $0.hasPrefix("id=") }.map {
                    String($0.dropFirst(3))
                }
            }
        }
    }
}
