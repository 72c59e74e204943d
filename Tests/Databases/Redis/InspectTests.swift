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
            let lacking = try #require(least.first { $0.message.contains("lacks rights") })
            #expect(lacking.level == .error && lacking.message.contains("no exposure is proved"))
            #expect(least.filter { $0.level == .error }.count == 1)
            #expect(
                lacking.remedy == "ACL SETUSER arch +info +time +role +config|get +client|setname "
                    + "+acl|whoami +acl|getuser")
            let none = try limited(server, ["+ping"]).inspector().check()
            let error = try #require(none.first { $0.level == .error })
            #expect(error.remedy.hasPrefix("ACL SETUSER arch +replconf +psync "))
            // ROLE of a primary is enough for a proof each second.
            let role = try limited(server, Self.leastRights + ["+role"]).inspector().check()
            #expect(role.first { $0.message.contains("lacks rights") }?.level == .warning)
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

    /// They carry no times: one that comes now may have been made long ago, since a slow link or a
    /// backlog holds it up; and a server is asked each time, so that one which hangs is noticed.
    @Test func `without INFO and ROLE nothing is proved, whatever PINGs come`() async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-ping-replica-period 1"])
            let (isSlow, held) = (Monitor(false), Monitor(0))
            let relay = try Self.slowLink(to: server.port, isSlow, held)
            _ = try limited(server, Self.leastRights)
            let follower = RedisRoom(
                try RedisConfiguration(
                    source: testSource, url: "redis://arch:pw@127.0.0.1:\(relay.port)"),
                time: clock)
            let inspector = follower.inspector()
            let stream = follower.stream()
            _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            try stream.follow(sink) { sink.text.uppercased().components("PING") >= 2 }
            Self.expectNoProof(inspector)
            isSlow.update { $0 = true }
            try server.command("SET", "k", String(repeating: "v", count: 100))
            try stream.follow(sink) { held.read { $0 } > 100 }
            Self.expectNoProof(inspector)
            #expect(try server.offset() > sink.end)
            // A right that is given meanwhile counts at once.
            try server.lines("ACL SETUSER arch +role\n")
            #expect(try inspector.probe().bound >= sink.end)
            #expect(inspector.heartbeatSeconds == nil)
        }
    }

    /// Goes on carrying what the stream brings, ever later; answers pass as they come.
    private static func slowLink(
        to port: Int, _ isSlow: Monitor<Bool>, _ held: Monitor<Int>
    ) throws -> LoopbackRelay {
        try LoopbackRelay(to: port) { link in
            var waiting: [UInt8] = []
            var isStream = false
            link.run(
                { bytes in
                    isStream = isStream || bytes.starts(with: "+FULLRESYNC".utf8)
                    waiting += bytes
                    let count = isStream && isSlow.read { $0 } ? 14 : waiting.count
                    let first = Array(waiting.prefix(count))
                    waiting.removeFirst(first.count)
                    if isStream { held.update { $0 = waiting.count } }
                    return LoopbackRelay.Link.pass(first, to: link.client)
                },
                { LoopbackRelay.Link.pass($0, to: link.upstream) })
        }
    }

    private static func expectNoProof(_ inspector: any SourceInspector) {
        let failure = #expect(throws: TidemarkError.self) { try inspector.probe() }
        #expect(failure?.code == .sourceRefused)
        #expect(failure?.message.contains("may use neither INFO nor ROLE") == true)
        #expect(failure?.remedy == "run `ACL SETUSER arch +info +time +role`")
        #expect(inspector.heartbeatSeconds == 25)
    }

    @Test func `ROLE of a replica is no proof, and is no reason to say that it is refused`()
        async throws
    {
        try await offPool {
            let primary = try RedisServer.start()
            let replica = try RedisServer.start(["replicaof 127.0.0.1 \(primary.port)"])
            try eventually("the replica is in step") {
                try replica.info("master_link_status") == "up"
            }
            let room = try limited(replica, Self.leastRights + ["+role", "+time"])
            let failure = #expect(throws: TidemarkError.self) { try room.inspector().probe() }
            #expect(failure?.message.contains("of a replica ROLE does not tell") == true)
            #expect(try room.inspector().check().contains { $0.level == .error })
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
            // A refusal of the login says nothing of whether the source lives.
            let stranger = try room("redis://:wrong@127.0.0.1:\(server.port)").inspector()
            let refused = #expect(throws: TidemarkError.self) { try stranger.probe() }
            #expect(refused?.code == .sourceRefused && stranger.heartbeatSeconds == nil)
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
