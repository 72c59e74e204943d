import Model
import Platform
import TestKit
import Testing

/// Redis 6.2: relative times in the stream, one append-only file, a new history at each restart.
@Suite(.timeLimit(.minutes(5)))
struct OldRedisTests {
    private static let version = "6.2"

    private func restored(
        _ harness: ArchiveHarness, to target: String, _ name: String, _ words: [String] = []
    ) throws -> String {
        try harness.restore(
            to: target, name: name, ["--pg-bin", OtherServers.redis(Self.version)] + words)
    }

    @Test func `times to live count from when they were received`() async throws {
        try await offPool {
            let server = try RedisServer.start(version: Self.version)
            #expect(try server.info("redis_version").hasPrefix(Self.version))
            let harness = try ArchiveHarness(server)
            let check = try harness.expect(0, ["check"])
            #expect(check.contains("relative expiry times"))
            #expect(check.contains("a new history at each restart"))
            let sidecar = try harness.startWithBackup()
            let set = try harness.moment()
            try server.lines(
                """
                SET short v PX 4000
                SET long v EX 1000
                SETEX old 1000 v
                RPUSH list a b
                EXPIRE list 1000
                SELECT 2
                PSETEX two 1000000 v
                MULTI
                INCR n
                EXEC
                """ + "\n")
            harness.pause()
            let target = try harness.moment()
            try harness.waitProved(target)
            try eventually("the short life ends") { try server.command("EXISTS", "short") == "0" }
            let text = target.text(fractionDigits: 6)
            let kept = try restored(harness, to: text, "kept")
            #expect(try harness.ask(kept, "INFO", "server").contains("redis_version:6.2"))
            #expect(try harness.ask(kept, "MGET", "short", "long", "old") == "\nv\nv")
            #expect(try harness.ask(kept + "/2", "GET", "n") == "1")
            for key in ["long", "old", "list"] {
                let before = try harness.moment()
                let left = try Double(harness.ask(kept, "PTTL", key)) ?? 0
                let after = try harness.moment()
                // It was set between `set` and `target`, and came within a second of that.
                let most = 1_000_000 - (before.seconds(since: target) - 1) * 1000
                let least = 1_000_000 - (after.seconds(since: set) + 1) * 1000
                #expect(least <= left && left <= most, "\(key): \(least) \(left) \(most)")
            }
            let shifted = try restored(harness, to: text, "shifted", ["--expiry", "shift"])
            #expect(try harness.ask(shifted, "EXISTS", "short") == "1")
            let saved = try restored(harness, to: text, "saved", ["--expiry", "persist"])
            #expect(try harness.ask(saved + "/2", "TTL", "two") == "-1")
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test func `what it saves a restart of the server does not keep, a gap and a base backup do`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start(version: Self.version)
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            let old = try harness.timeline()
            try server.command("SET", "before", "1")
            let offset = try server.offset()
            try harness.waitArchived()
            try server.stop(saving: true)
            try server.start()
            try eventually("the new history has a base backup", seconds: 90) {
                let status = try harness.status()
                return status.timeline != old && status.gaps.count == 1
                    && status.exposureSeconds != nil
            }
            try server.command("SET", "after", "1")
            try harness.waitArchived()
            let copy = try restored(harness, to: "latest", "latest")
            #expect(try harness.ask(copy, "MGET", "before", "after") == "1\n1")
            let early = try restored(harness, to: "offset:\(old):\(offset)", "early")
            #expect(try harness.ask(early, "MGET", "before", "after") == "1\n")
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test func `one append-only file is what it loads, and a live server is served`() async throws {
        try await offPool {
            let server = try RedisServer.start(version: Self.version)
            let harness = try ArchiveHarness(server)
            try load(server)
            let sidecar = try harness.startWithBackup()
            try load(server)
            try server.lines("SELECT 9\nSET nine 9\n")
            let digest = try server.command("DEBUG", "DIGEST")
            try harness.waitArchived()
            #expect(try sidecar.terminate().isSuccess)
            let place = harness.folder + "/single"
            let words = ["restore", "--to", "latest", "--into"]
            try harness.expect(0, words + ["sessions=" + place])
            #expect(try shell("ls \"$0\"", place).contains("appendonly.aof\n"))
            let loaded = try RedisServer.start(
                ["dir \(place)", "appendonly yes", "replicaof 127.0.0.1 1"],
                version: Self.version)
            #expect(try loaded.command("DEBUG", "DIGEST") == digest)
            let live = try RedisServer.start(version: Self.version)
            try harness.expect(0, words + ["sessions=" + live.url])
            #expect(try live.info("role") == "master")
            #expect(try live.command("DEBUG", "DIGEST") == digest)
            // A newer server takes it too.
            let newer = try RedisServer.start()
            try harness.expect(0, words + ["sessions=" + newer.url])
            #expect(try newer.command("DBSIZE") == live.command("DBSIZE"))
        }
    }

    /// Nothing in it expires during the test.
    private func load(_ server: RedisServer) throws {
        try server.lines(
            """
            SELECT 3
            SETEX timed 10000 v
            EVAL "redis.call('SET', 's', 1, 'EX', 9000) return redis.call('INCR', 'n')" 0
            MULTI
            INCR n
            RPUSH l a b c
            EXEC
            ZADD z 1.5 a 2 b
            XADD x * f v
            SELECT 0
            SADD s 1 2 3
            SPOP s
            HSET h f v
            EXPIRE h 10000
            COPY h g DB 1 REPLACE
            """ + "\n")
    }
}
