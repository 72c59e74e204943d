import Model
import Platform
import TestKit
import Testing

/// Keys whose time has run out between the moment restored and the restore.
struct ExpiryTests {
    @Test func `keep, shift and persist`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            // Some lie in the base backup, among values of every type; some come by the stream.
            try server.lines(
                """
                SET short v PX 20000
                SET long v EX 10000
                SET none v
                RPUSH list a b c
                ZADD z 1 a 2.5 b
                HSET h f v
                SADD s 1 2 3
                SADD t x y
                XADD x * f v
                XGROUP CREATE x g 0
                XREADGROUP GROUP g c STREAMS x >
                SELECT 9
                SET nine v PX 20000
                """ + "\n")
            let big = String(repeating: "v", count: 300_000)
            try server.pipe(resp(["SET", "big", big, "PX", "20000"]))
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            try server.lines(
                "SET streamed v PX 20000\nRPUSH l2 a\nPEXPIRE l2 20000\nHSET h2 f v\nEXPIRE h2 40000\n"
            )
            try server.pipe(resp(["SET", "big2", big, "PX", "20000"]))
            harness.pause()
            let moment = try harness.moment()
            try harness.waitProved(moment)
            let target = moment.text(fractionDigits: 6)
            let keys = [
                "short", "long", "none", "streamed", "l2", "h2", "big", "big2", "list", "x",
            ]
            try eventually("the short lives end", seconds: 60) {
                try harness.ask(server.url, "EXISTS", "big2", "l2", "short") == "0"
            }
            let kept = try harness.restore(to: target, name: "kept")
            let left = ["long", "none", "h2", "list", "x"]
            #expect(try harness.ask(kept, "EVAL", Self.existing, "\(keys.count)", keys) == left)
            let shifted = try harness.restore(to: target, name: "shifted", ["--expiry", "shift"])
            #expect(try harness.ask(shifted, "EVAL", Self.existing, "\(keys.count)", keys) == keys)
            let life = try Int(harness.ask(shifted, "PTTL", "long")) ?? 0
            #expect(life > 9_990_000 && life <= 10_000_000)
            #expect(try Int(harness.ask(shifted, "PTTL", "big2")) ?? -1 > 0)
            #expect(try harness.ask(shifted, "TTL", "none") == "-1")
            #expect(try harness.ask(shifted + "/9", "EXISTS", "nine") == "1")
            let saved = try harness.restore(to: target, name: "saved", ["--expiry", "persist"])
            #expect(try harness.ask(saved, "EVAL", Self.existing, "\(keys.count)", keys) == keys)
            for key in keys { #expect(try harness.ask(saved, "TTL", key) == "-1", "\(key)") }
            #expect(try harness.ask(saved, "STRLEN", "big") == "300000")
            #expect(
                try harness.ask(saved, "ZRANGE", "z", "0", "-1", "WITHSCORES") == "a\n1\nb\n2.5")
            #expect(try harness.ask(saved, "XPENDING", "x", "g").hasPrefix("1\n"))
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    private static let existing =
        "local r = {} for _, k in ipairs(KEYS) do "
        + "if redis.call('EXISTS', k) == 1 then table.insert(r, k) end end return r"
}

extension ArchiveHarness {
    /// A script over some keys; its answers, one a line.
    fileprivate func ask(
        _ url: String, _ command: String, _ script: String, _ count: String, _ keys: [String]
    ) throws -> [String] {
        let done = try Subprocess.run(
            "redis-cli", ["-u", url, "-e", command, script, count] + keys, seconds: 30)
        return done.output.split(separator: "\n").map(String.init)
    }
}
