import Model
import Platform
import TestKit
import Testing

/// Redis 8.0 and Valkey 8.1 as sources and as what is restored to; `OracleTests` compare digests.
@Suite(.timeLimit(.minutes(5)))
struct NewerServerTests {
    private static let versions = ["8.0", "valkey-8.1"]

    /// What such a server says of itself.
    private static func said(_ version: String) -> String {
        version == "8.0" ? "Redis 8.0." : "Valkey 8.1."
    }

    private func start(_ harness: ArchiveHarness, _ version: String, to target: String) throws
        -> String
    {
        try harness.restore(to: target, name: "copy", ["--pg-bin", OtherServers.redis(version)])
    }

    @Test(arguments: versions)
    func `it is told what is durable, followed through a restart, a cut and a crash, and restored`(
        version: String
    ) async throws {
        try await offPool {
            let server = try RedisServer.start(version: version)
            let harness = try ArchiveHarness(server)
            try server.lines("MSET a 1 b 2\nSELECT 4\nRPUSH l a b c\n")
            let check = try harness.expect(0, ["check"])
            #expect(check.contains(Self.said(version)), "\(check)")
            let sidecar = try harness.startWithBackup()
            let waited = try server.lines("SET durable 1\nWAIT 1 20000\nWAITAOF 0 1 20000\n")
            #expect(waited.prefix(4) == ["OK", "1", "0", "1"], "\(waited)")
            // The offset that WAIT has seen is in the files.
            let offset = try #require(try harness.status().archivedPosition.flatMap { UInt64($0) })
            #expect(try server.offset() <= offset + 200)
            let full = try Int(server.info("sync_full")) ?? -1
            try server.command("CLIENT", "KILL", "TYPE", "replica")
            try server.command("SET", "cut", "1")
            try harness.waitArchived()
            #expect(try Int(server.info("sync_full")) == full)

            let first = try harness.timeline()
            try server.stop(saving: true)
            try server.start()
            try followed(harness, after: first)
            try server.command("SET", "restarted", "1")
            try harness.waitArchived()
            #expect(try harness.status().gaps.isEmpty)

            let second = try harness.timeline()
            try server.command("SAVE")
            try server.command("SET", "lost", "1")
            try harness.waitArchived()
            server.kill9()
            try server.start()
            try followed(harness, after: second)
            try server.command("SET", "crashed", "1")
            try harness.waitArchived()
            #expect(try harness.status().gaps.isEmpty)
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])

            let copy = try start(harness, version, to: "latest")
            let keys = ["durable", "cut", "restarted", "lost", "crashed"]
            #expect(try harness.ask(copy, "MGET", keys) == ["1", "1", "1", "", "1"])
            let info = try harness.ask(copy, "INFO", "server")
            #expect(info.contains(version == "8.0" ? "redis_version:8.0." : "valkey_version:8.1."))
            #expect(try harness.ask(copy + "/4", "LRANGE", "l", "0", "-1") == "a\nb\nc")
            // Without a server that turns an older form into a newer one.
            try harness.expect(
                0, ["restore", "--to", "latest", "--into", harness.folder + "/files"])
            let files = try shell("ls \"$0\"/files/sessions", harness.folder)
            #expect(files.split(separator: "\n") == ["appendonlydir", "tidemark-redis.conf"])
            let branch = try harness.restore(
                to: "latest", name: "branch",
                ["--timeline", second, "--pg-bin", OtherServers.redis(version)])
            #expect(try harness.ask(branch, "MGET", keys) == ["1", "1", "1", "1", ""])
        }
    }

    private func followed(_ harness: ArchiveHarness, after old: String) throws {
        try eventually("the new timeline is followed", seconds: 60) {
            let status = try harness.status()
            return status.timeline != old && status.state == "streaming"
        }
    }

    @Test func `only a server that can read the RDB gets it, whatever its number`() async throws {
        try await offPool {
            let redis7 = try RedisServer.start()
            let redis8 = try RedisServer.start(version: "8.0")
            // It offers a second channel to its primary, as it would take one from a replica.
            let channels = ["dual-channel-replication-enabled yes"]
            let valkey = try RedisServer.start(channels, version: "valkey-8.1")
            /// Sources, and whether the archive of each fits the three servers.
            let cases: [(RedisServer, fits: [Bool])] = [
                (redis7, [true, true, true]), (redis8, [false, true, false]),
                (valkey, [false, true, true]),
            ]
            for (source, fits) in cases {
                let harness = try ArchiveHarness(source)
                try source.lines("MULTI\nSET k v PX 900000\nRPUSH l a\nEXEC\nXADD x * f v\n")
                let sidecar = try harness.startWithBackup()
                try source.lines("SELECT 3\nSET streamed v\nSELECT 0\n")
                try harness.waitArchived()
                #expect(try sidecar.terminate().isSuccess)
                let words = ["restore", "--to", "latest", "--into"]
                for (version, fits) in zip([nil, "8.0", "valkey-8.1"], fits) {
                    let target = try RedisServer.start(
                        version == "valkey-8.1" ? channels : [], version: version)
                    let said = try harness.expect(
                        fits ? 0 : 2, words + ["sessions=" + target.url])
                    #expect(fits || said.contains("RDB it cannot read"), "\(said)")
                    let sizes = try target.lines("DBSIZE\nSELECT 3\nDBSIZE\n")
                    #expect(sizes.prefix(3) == (fits ? ["3", "OK", "1"] : ["0", "OK", "0"]))
                    #expect(try target.info("role") == "master")
                }
                if source === redis8 {
                    let bin = OtherServers.redis("valkey-8.1")
                    let started = try harness.expect(
                        1, words + [harness.folder + "/copy", "--start", "--pg-bin", bin])
                    #expect(started.contains("valkey 8.1") && started.contains("install Redis 8.0"))
                }
                source.kill9()
            }
        }
    }
}

extension ArchiveHarness {
    /// A command with more words; its answer line by line.
    fileprivate func ask(_ url: String, _ command: String, _ more: [String]) throws -> [String] {
        let done = try Subprocess.run("redis-cli", ["-u", url, "-e", command] + more, seconds: 30)
        guard done.status.isSuccess else {
            throw TidemarkError(.failed, "\(command): \(done.output)\(done.errors)")
        }
        return done.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .map(String.init)
    }
}
