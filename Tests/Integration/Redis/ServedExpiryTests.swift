import Model
import Platform
import TestKit
import Testing

/// Keys whose time has run out since the moment restored, in a live server that is filled.
struct ServedExpiryTests {
    /// Each with the time to live that it gets.
    private static let mortal = ["short", "list", "big", "streamed", "hash", "big2"]
    private static let nine = ["nine"]
    /// When each key expires, in milliseconds since 1970.
    private static let deadlines =
        "local t = redis.call('TIME') local now = t[1] * 1000 + math.floor(t[2] / 1000) "
        + "local r = {} for _, k in ipairs(KEYS) do "
        + "table.insert(r, redis.call('PTTL', k) + now) end return r"

    /// Half of it lies in the base backup, half comes by the stream.
    private func load(_ server: RedisServer, _ part: Int) throws {
        let big = String(repeating: "v", count: 300_000)
        if part == 0 {
            try server.lines(
                """
                SET short v PX 25000
                SET none v
                SET long v EX 10000
                RPUSH list a b c
                PEXPIRE list 25000
                ZADD z 1 a 2.5 b
                XADD x 1-1 f v
                XGROUP CREATE x g 0
                SELECT 9
                SET nine v PX 25000
                """ + "\n")
            try server.pipe(resp(["SET", "big", big, "PX", "25000"]))
        } else {
            try server.lines(
                """
                SET streamed v PX 25000
                MULTI
                HSET hash f v g w
                PEXPIRE hash 25000
                SADD s 1 2 3
                EXEC
                """ + "\n")
            try server.pipe(resp(["SET", "big2", big, "PX", "25000"]))
        }
    }

    private struct Lives {
        var deadlines: [Double]

        /// By how many seconds each is later than in `old`.
        func shift(from old: Lives) -> [Double] {
            zip(deadlines, old.deadlines).map { ($0 - $1) / 1000 }
        }
    }

    private func lives(_ harness: ArchiveHarness, _ url: String) throws -> Lives {
        let zero = try harness.lines(url, ["EVAL", Self.deadlines, "6"] + Self.mortal)
        let nine = try harness.lines(url + "/9", ["EVAL", Self.deadlines, "1"] + Self.nine)
        return Lives(deadlines: try (zero + nine).map { try #require(Double($0)) })
    }

    /// Restores into a fresh server, whose clock may be another than this machine's. By how much expiries must have moved, between two bounds.
    private func filled(
        _ harness: ArchiveHarness, _ target: String, _ expiry: String, from moment: CommitTime,
        aheadBy ahead: Int64 = 0
    ) throws -> (server: RedisServer, shift: ClosedRange<Double>) {
        let server = try RedisServer.start()
        let relay = try RedisClockRelay(server, aheadBy: ahead)
        let before = SystemTimeSource().wall().seconds(since: moment) + Double(ahead)
        try harness.expect(
            0,
            [
                "restore", "--to", target, "--expiry", expiry, "--into", "sessions=" + relay.url,
            ])
        let after = SystemTimeSource().wall().seconds(since: moment) + Double(ahead)
        return (server, before...after)
    }

    @Test func `what has expired since, or was destroyed, is served with the life that was left`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-size 64mb"])
            try load(server, 0)
            let harness = try ArchiveHarness(server)
            let sidecar = try harness.startWithBackup()
            try load(server, 1)
            harness.pause()
            let moment = try harness.moment()
            let digest = try server.command("DEBUG", "DIGEST")
            let old = try lives(harness, server.url)
            harness.pause()
            let whole = try harness.moment()
            try server.command("FLUSHALL")
            let destroyed = try harness.moment()
            try server.lines("SET after v\nSELECT 9\nSET after v PX 60000\n")
            try harness.waitArchived()
            let last = try #require(old.deadlines.max())
            try eventually("all of them would have expired", seconds: 60) {
                Double(try harness.moment().microseconds) / 1000 > last
            }
            let event = try #require(
                try harness.expect(0, ["find", "--match", "FLUSHALL"]).split(separator: "\n")
                    .dropFirst().first?.prefix { $0 != " " })

            let time = moment.text(fractionDigits: 6)
            let kept = try filled(harness, time, "keep", from: moment).server
            #expect(try harness.ask(kept.url, "EXISTS", "none", "long", "z", "x", "s") == "5")
            #expect(try harness.lines(kept.url, ["EXISTS"] + Self.mortal) == ["0"])

            for target in [time, "before:" + event] {
                let (copy, shift) = try filled(harness, target, "shift", from: moment)
                #expect(try copy.command("DEBUG", "DIGEST") == digest, "\(target)")
                // Times of arrival are merged into stretches of a quarter of a second.
                let bounds =
                    target == time
                    ? (shift.lowerBound - 0.01)...(shift.upperBound + 0.01)
                    : (shift.lowerBound - destroyed.seconds(since: moment) - 0.26)...(shift
                        .upperBound - whole.seconds(since: moment) + 0.26)
                for moved in try lives(harness, copy.url).shift(from: old) {
                    #expect(bounds.contains(moved), "\(target): \(moved) s, not \(bounds)")
                }
                #expect(try harness.ask(copy.url, "EXISTS", "after") == "0")
                #expect(try harness.ask(copy.url + "/9", "EXISTS", "after") == "0")
                #expect(try copy.info("role") == "master")
            }

            // A key expires by the clock of the server that has it.
            let (ahead, shift) = try filled(harness, time, "shift", from: moment, aheadBy: 5000)
            for moved in try lives(harness, ahead.url).shift(from: old) {
                #expect((shift.lowerBound - 0.01...shift.upperBound + 0.01).contains(moved))
            }

            for target in [time, "before:" + event] {
                let copy = try filled(harness, target, "persist", from: moment).server
                for key in Self.mortal + ["long"] {
                    #expect(try copy.command("TTL", key) == "-1", "\(key)")
                    try copy.command("EXPIRE", key, "1000")
                }
                #expect(try harness.ask(copy.url + "/9", "TTL", "nine") == "-1")
                try harness.ask(copy.url + "/9", "EXPIRE", "nine", "1000")
                // A digest tells whether a key expires, and not when.
                #expect(try copy.command("DEBUG", "DIGEST") == digest, "\(target)")
            }
            #expect(try sidecar.terminate().isSuccess)
        }
    }
}

extension ArchiveHarness {
    /// One command; its answers, one a line.
    fileprivate func lines(_ url: String, _ words: [String]) throws -> [String] {
        let done = try Subprocess.run("redis-cli", ["-u", url, "-e"] + words, seconds: 30)
        guard done.status.isSuccess else {
            throw TidemarkError(.failed, "\(words): \(done.output)\(done.errors)")
        }
        return done.output.split(separator: "\n").map(String.init)
    }
}
