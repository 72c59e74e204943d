import Glibc
import Model
import Platform
import Redis
import TestKit
import Testing

/// The size of the backlog against traffic that is measured.
struct BacklogTests {
    /// Writes two million bytes a second, or what the machine can, until it goes.
    private final class SteadyWrites {
        private let client: Subprocess

        init(_ server: RedisServer) throws {
            let script =
                "for i = 1, 100 do redis.call('SET', 'k', string.rep('v', 1000)) end return 0"
            client = try Subprocess(
                "redis-cli",
                ["-s", server.socketPath, "-r", "-1", "-i", "0.05", "EVAL", script, "0"],
                SubprocessOptions(
                    outputFile: "/dev/null", signalOnParentDeath: .kill))
        }

        deinit {
            client.signal(SIGKILL)
            client.wait()
        }
    }

    private func finding(_ room: RedisRoom) throws -> Finding {
        try #require(
            try room.inspector().check().first { $0.message.contains("repl-backlog-size") })
    }

    /// The number in `CONFIG SET repl-backlog-size N, and CONFIG REWRITE`.
    private func size(_ finding: Finding) throws -> Double {
        let words = finding.remedy.split(whereSeparator: { " ,".contains($0) })
        try #require(words.starts(with: ["CONFIG", "SET", "repl-backlog-size"]))
        return try #require(Double(words[3]))
    }

    @Test
    func
        `a backlog that a minute of the measured traffic overflows is reported, one that holds it is not`()
        async throws
    {
        try await offPool {
            // Large enough for an idle server, so that only the traffic speaks against it.
            let server = try RedisServer.start(["repl-backlog-size 20mb"])
            let room = try room(server.url)
            let stream = room.stream()
            _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
            stream.close()
            #expect(try finding(room).level == .ok)
            let writes = try SteadyWrites(server)
            let first = try server.offset()
            try eventually("the traffic is there") { try server.offset() > first + 2_000_000 }
            let (from, start) = (try server.offset(), clock.monotonic())
            let small = try finding(room)
            let rate =
                Double(try server.offset() - from) / clock.monotonic().seconds(since: start)
            #expect(small.level == .warning)
            #expect(small.message.contains("s of the present traffic: a longer outage"))
            let wanted = try size(small)
            // A busy machine does not write evenly.
            #expect(wanted > rate * 60 * 0.7, "\(wanted) at \(rate)")
            #expect(wanted < rate * 60 * 2, "\(wanted) at \(rate)")
            try server.command("CONFIG", "SET", "repl-backlog-size", "\(Int(wanted * 2))")
            let ample = try finding(room)
            #expect(ample.level == .ok, "\(ample)")
            #expect(ample.message.contains("s of the present traffic"))
            withExtendedLifetime(writes) {}
        }
    }

    @Test func `a small backlog is called too small for a burst, not for the present traffic`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-size 2mb"])
            let room = try room(server.url)
            let stream = room.stream()
            _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let found = try finding(room)
            #expect(found.level == .warning)
            #expect(
                found.message.hasSuffix(
                    "; but a burst of more than 2.0 MiB while the archiver is away costs a gap"),
                "\(found.message)")
            #expect(!found.message.contains("a longer outage"))
            #expect(try size(found) == 67_108_864)
        }
    }

    /// As long as no replica was there, a server counts no bytes.
    @Test(arguments: ["appendonly no", "appendonly yes"])
    func `before the first archiver what clients send stands for the traffic`(
        _ setting: String
    ) async throws {
        try await offPool {
            let server = try RedisServer.start([
                "repl-backlog-size 20mb", setting, "auto-aof-rewrite-percentage 0",
            ])
            let room = try room(server.url)
            #expect(try finding(room).level == .ok)
            let value = String(repeating: "v", count: 100_000)
            let client = try Subprocess(
                "redis-cli",
                ["-s", server.socketPath, "-r", "-1", "-i", "0.02", "SET", "k", value],
                SubprocessOptions(outputFile: "/dev/null", signalOnParentDeath: .kill))
            defer {
                client.signal(SIGKILL)
                client.wait()
            }
            try eventually("the traffic is there") {
                UInt64(try server.info("total_net_input_bytes")) ?? 0 > 2_000_000
            }
            let small = try finding(room)
            #expect(small.level == .warning, "\(small)")
            #expect(small.message.contains("what clients send now"))
            let wanted = try size(small)
            #expect(wanted >= 67_108_864 && wanted < 100_000 * 50 * 60 * 2, "\(wanted)")
            try server.command("CONFIG", "SET", "repl-backlog-size", "\(Int(wanted * 2))")
            #expect(try finding(room).level == .ok)
        }
    }
}
