import Glibc
import Model
import Platform
import Redis
import TestKit
import Testing

struct InspectTests {
    private static let leastRights = ["+psync", "+replconf", "+ping"]

    private func limited(_ server: RedisServer, _ rights: [String]) throws -> RedisRoom {
        try server.lines("ACL SETUSER arch reset on >pw \(rights.joined(separator: " "))\n")
        return try room("redis://arch:pw@127.0.0.1:\(server.port)")
    }

    @Test func `a probe tells the end of the history at the source's time`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let stream = try room(server.url).stream()
            _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let inspector = try room(server.url).inspector()
            try server.command("SET", "k", "1")
            let probe = try inspector.probe()
            #expect(probe.bound == (try server.offset()))
            #expect(probe.timeline.name == (try server.info("master_replid")))
            let offset = try #require(probe.sourceTime).seconds(since: probe.askedWall)
            #expect(abs(offset) < 2)
            let point = try inspector.mark("here")
            #expect(point.position == probe.bound)
            let window = try #require(try inspector.sourceWindow())
            #expect(window.kind == "backlog")
            #expect(window.headroomBytes == 1 << 20)
        }
    }

    @Test func `a replica proves only what its primary told it, and nothing once it is cut off`()
        async throws
    {
        try await offPool {
            let primary = try RedisServer.start()
            let replica = try RedisServer.start(["replicaof 127.0.0.1 \(primary.port)"])
            try eventually("the replica is in step") {
                try replica.info("master_link_status") == "up"
            }
            let room = try room(replica.url)
            let stream = room.stream()
            _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let inspector = room.inspector()
            try primary.command("SET", "k", "1")
            // The primary stands still, and what it was told meanwhile is not on its way yet.
            let pid = try #require(primary.pid)
            kill(pid, SIGSTOP)
            defer { kill(pid, SIGCONT) }
            let told = try inspector.probe()
            #expect(clock.wall().seconds(since: try #require(told.sourceTime)) < 2.5)
            try eventually("time passes") {
                try Int(replica.info("master_last_io_seconds_ago")) ?? 0 > 3
            }
            let later = try inspector.probe()
            let gone = try #require(later.sourceTime).seconds(since: try #require(told.sourceTime))
            #expect(abs(gone) < 1.1)
            #expect(clock.wall().seconds(since: later.askedWall) > 3)
            #expect(clock.monotonic().seconds(since: later.asked) > 3)
            primary.kill9()
            try eventually("the link is down") {
                try replica.info("master_link_status") == "down"
            }
            let failure = #expect(throws: TidemarkError.self) { try inspector.probe() }
            #expect(failure?.message.contains("lost its primary") == true)
        }
    }

    @Test func `check names the exact rights that are missing`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let least = try limited(server, Self.leastRights).inspector().check()
            #expect(least.allSatisfy { $0.level != .error })
            let lacking = try #require(least.first { $0.message.contains("lacks rights") })
            #expect(
                lacking.remedy == "ACL SETUSER arch +info +time +role +config|get +client|setname "
                    + "+acl|whoami +acl|getuser")
            let none = try limited(server, ["+ping"]).inspector().check()
            let error = try #require(none.first { $0.level == .error })
            #expect(error.remedy.hasPrefix("ACL SETUSER arch +replconf +psync "))
            try server.lines(lacking.remedy + "\n" + "ACL SETUSER arch +psync +replconf\n")
            let full = try room("redis://arch:pw@127.0.0.1:\(server.port)").inspector().check()
            #expect(full.allSatisfy { !$0.message.contains("lacks") })
            #expect(try server.info("sync_full") == "0")
        }
    }

    @Test func `check knows the settings that cost history`() async throws {
        try await offPool {
            let server = try RedisServer.start([
                "appendonly yes", "client-output-buffer-limit replica 1mb 1mb 10",
                "min-replicas-to-write 1", "user default on nopass ~* &* +@all",
            ])
            let findings = try room(server.url).inspector().check()
            let warnings = findings.filter { $0.level == .warning }.map(\.message).joined()
            for part in ["repl-backlog-size", "client-output-buffer-limit", "min-replicas", "AOF"] {
                #expect(warnings.contains(part), "\(part) in \(warnings)")
            }
        }
    }

    @Test func `without INFO and ROLE the PINGs of the stream are the proof`() async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-ping-replica-period 1"])
            let room = try limited(server, Self.leastRights)
            let inspector = room.inspector()
            let failure = #expect(throws: TidemarkError.self) { try inspector.probe() }
            #expect(failure?.remedy.contains("+info +time +role") == true)
            let stream = room.stream()
            _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            try stream.follow(sink) { sink.text.uppercased().components("PING") >= 2 }
            let probe = try inspector.probe()
            #expect(probe.bound <= sink.end)
            #expect(probe.asked < probe.answered)
            #expect(probe.caveat.contains("known only to a PING"))
        }
    }

    /// Nobody knows whether anything is there then, so it must not pass for an answer.
    @Test func `a PING that is overdue is no answer`() async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-ping-replica-period 1"])
            _ = try limited(server, Self.leastRights)
            let time = SkippingTime()
            let room = RedisRoom(
                try RedisConfiguration(
                    source: testSource, url: "redis://arch:pw@127.0.0.1:\(server.port)"),
                time: time)
            let stream = room.stream()
            _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            try stream.follow(sink) { sink.text.uppercased().components("PING") >= 2 }
            let inspector = room.inspector()
            // The usual ten seconds and half of that.
            time.skip(12)
            let bound = try inspector.probe().bound
            time.skip(3.5)
            let failure = #expect(throws: TidemarkError.self) { try inspector.probe() }
            #expect(failure?.code == .sourceUnreachable)
            #expect(failure?.message.contains("has carried no PING for 1") == true)
            try stream.follow(sink) { sink.end > bound + 20 }
            // The next one is one, and dated back to when the one before had come.
            let next = try inspector.probe()
            #expect(next.bound > bound)
            #expect(try inspector.sourceTime() == nil)
        }
    }

    @Test func `a wrong password and a server that is gone are told apart`() async throws {
        try await offPool {
            let server = try RedisServer.start(["requirepass right"])
            for url in ["redis://:wrong@127.0.0.1:\(server.port)", server.url] {
                let failure = #expect(throws: TidemarkError.self) {
                    try room(url).stream().open(ResumePoint(descriptor: nil, end: nil))
                }
                #expect(failure?.code == .sourceRefused)
                #expect(failure?.remedy.isEmpty == false)
                #expect(failure.map { !"\($0)".contains("wrong") } == true)
            }
            let right = try room("redis://:right@127.0.0.1:\(server.port)")
            _ = try right.stream().open(ResumePoint(descriptor: nil, end: nil))
            server.kill9()
            let gone = #expect(throws: TidemarkError.self) { try right.inspector().probe() }
            #expect(gone?.code == .sourceUnreachable)
        }
    }
}

extension String {
    /// How often `part` stands in this text.
    func components(_ part: String) -> Int { ranges(of: part).count }
}

/// The machine's clocks, which a test can put forward.
private final class SkippingTime: TimeSource {
    private let skipped = Monitor(0.0)

    func skip(_ seconds: Double) { skipped.update { $0 += seconds } }
    func monotonic() -> MonotonicTime { clock.monotonic().advanced(bySeconds: skipped.read { $0 }) }
    func wall() -> CommitTime { clock.wall().advanced(bySeconds: skipped.read { $0 }) }
    var boot: String { clock.boot }
}
