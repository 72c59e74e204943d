import Model
import Platform
import Redis
import TestKit
import Testing

struct BadDayTests {
    /// Follows until the stream breaks; the error.
    private func breakage(
        _ stream: any ChangeSource, _ sink: RecordingSink, seconds: Double = 20
    ) throws -> TidemarkError {
        do {
            try stream.follow(sink, seconds: seconds) { false }
        } catch let error as TidemarkError {
            return error
        }
        throw TidemarkError(.failed, "nothing broke")
    }

    private func resume(_ opening: StreamOpening, _ sink: RecordingSink) -> ResumePoint {
        ResumePoint(
            descriptor: opening.descriptor,
            end: Position(timeline: opening.start.timeline, ordinal: sink.end), tail: sink.tail())
    }

    @Test func `rights taken away in mid-stream end it with the line that gives them back`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start()
            try server.lines("ACL SETUSER arch on >pw +psync +replconf +ping +info +time\n")
            let room = try room("redis://arch:pw@127.0.0.1:\(server.port)")
            let stream = room.stream()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            try server.command("SET", "a", "1")
            try stream.follow(sink) { sink.text.contains("a") }
            try server.lines("ACL SETUSER arch -replconf\nSET b 2\n")
            let error = try breakage(stream, sink)
            #expect([.sourceRefused, .sourceUnreachable].contains(error.code), "\(error)")
            #expect(!sink.text.contains("NOPERM"))
            let refused = #expect(throws: TidemarkError.self) {
                try stream.open(self.resume(opening, sink))
            }
            #expect(refused?.code == .sourceRefused)
            #expect(refused?.remedy.contains("ACL SETUSER arch +psync +replconf +ping") == true)
            try server.lines("ACL SETUSER arch +replconf\nSET c 3\n")
            _ = try stream.open(resume(opening, sink))
            try stream.follow(sink) { try sink.end >= server.offset() }
            #expect(sink.text.contains("b") && sink.text.contains("c"))
        }
    }

    @Test func `CLIENT KILL costs nothing`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let stream = try room(server.url).stream()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            for number in 0..<5 {
                try server.command("SET", "k\(number)", "v")
                try server.command("CLIENT", "KILL", "TYPE", "replica")
                try server.command("SET", "l\(number)", "v")
                #expect(try breakage(stream, sink).code == .sourceUnreachable)
                #expect(try stream.open(resume(opening, sink)).start.ordinal == sink.end)
            }
            try stream.follow(sink) { try sink.end >= server.offset() }
            for number in 0..<5 { #expect(sink.text.contains("l\(number)")) }
        }
    }

    @Test func `an archiver that was too slow goes on from what had reached it`() async throws {
        try await offPool {
            let server = try RedisServer.start([
                "client-output-buffer-limit replica 1mb 1mb 1", "repl-backlog-size 64mb",
            ])
            // The limit is at least the backlog's size, so that is made small for the moment.
            try server.command("CONFIG", "SET", "repl-backlog-size", "100kb")
            let stream = try room(server.url).stream()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            try server.command("SET", "first", "1")
            try stream.follow(sink) { sink.text.contains("first") }
            let value = String(repeating: "v", count: 100_000)
            try server.pipe((0..<300).flatMap { resp(["SET", "k\($0)", value]) })
            let error = try breakage(stream, sink)
            #expect(error.remedy.contains("client-output-buffer-limit"))
            #expect(sink.bytes.count > 100_000)
            let lost = #expect(throws: TidemarkError.self) {
                try stream.open(self.resume(opening, sink))
            }
            #expect(lost?.code == .historyLost)
            #expect(lost?.remedy.contains("repl-backlog-size") == true)
        }
    }

    @Test func `a promoted replica is followed as a child timeline`() async throws {
        try await offPool {
            let primary = try RedisServer.start()
            let replica = try RedisServer.start(["replicaof 127.0.0.1 \(primary.port)"])
            try eventually("the replica is in step") {
                try replica.info("master_link_status") == "up"
            }
            let stream = try room(primary.url).stream()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            try primary.lines("SELECT 3\nSET a 1\n")
            try stream.follow(sink) { sink.text.contains("a") }
            try eventually("the replica has it") { try replica.offset() >= primary.offset() }
            primary.kill9()
            try replica.command("REPLICAOF", "NO", "ONE")
            try replica.lines("SELECT 3\nSET after 1\n")
            let promoted = try room(replica.url).stream()
            let again = try promoted.open(resume(opening, sink))
            #expect(again.start.timeline != opening.start.timeline)
            #expect(again.start.ordinal <= sink.end)
            let branch = RecordingSink()
            try promoted.follow(branch) { branch.text.contains("after") }
            #expect(branch.edges.last?.state == "3")
            let name = HistoryDocument.name(again.start.timeline)
            #expect(branch.documents[name] != nil)
        }
    }

    @Test func `a replica is archived with the right database, though it sends no SELECT`()
        async throws
    {
        try await offPool {
            let primary = try RedisServer.start()
            let replica = try RedisServer.start(["replicaof 127.0.0.1 \(primary.port)"])
            try eventually("the replica is in step") {
                try replica.info("master_link_status") == "up"
            }
            try primary.lines("SELECT 9\nSET a 1\n")
            try eventually("the replica has it") { try replica.offset() >= primary.offset() }
            let room = try room(replica.url)
            let stream = room.stream()
            _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            try primary.lines("SELECT 9\nSET b 1\n")
            try stream.follow(sink) { sink.text.contains("$1\r\nb") }
            // Nothing told it yet; the base backup does.
            #expect(sink.edges.last?.state == "" || sink.edges.last?.state == "9")
            let backup = room.baseBackup()
            let start = try backup.begin(label: "t", fast: true)
            #expect(start.server.settings["repl-stream-db"] == "9")
            backup.close()
        }
    }

    @Test func `the server's end is not delayed and FAILOVER never picks the archiver`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start()
            let stream = try room(server.url).stream()
            _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            try server.command("SET", "a", "1")
            try stream.follow(sink) { sink.text.contains("a") }
            let failover = DedicatedLines(server, "FAILOVER TIMEOUT 1500\n")
            try stream.follow(sink) { failover.isDone }
            _ = try failover.join()
            let until = clock.monotonic().advanced(bySeconds: 2.5)
            try stream.follow(sink) { clock.monotonic() > until }
            #expect(try server.info("role") == "master")
            #expect(try server.info("master_failover_state") == "no-failover")
            let started = clock.monotonic()
            let stopper = DedicatedThread("stop") { () throws(TidemarkError) in
                try server.terminate()
            }
            _ = try breakage(stream, sink)
            #expect(try stopper.join().isSuccess)
            #expect(clock.monotonic().seconds(since: started) < 3)
        }
    }

    @Test func `any thread can end a wait`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let stream = try room(server.url).stream()
            _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            let alarm = Alarm(stream)
            let waker = DedicatedThread("wake") { () throws(TidemarkError) in
                _ = Monitor(()).wait(seconds: 0.3) { _ in Bool?.none }
                alarm.ring()
                return true
            }
            let started = clock.monotonic()
            var turn = StreamTurn.received
            while turn != .idle {
                turn = try stream.pull(
                    until: clock.monotonic().advanced(bySeconds: 30), into: sink)
            }
            #expect(clock.monotonic().seconds(since: started) < 10)
            _ = try waker.join()
        }
    }

    @Test func `a unix socket serves as well`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let room = try room("redis+unix://\(server.socketPath)")
            let stream = room.stream()
            _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            try server.command("SET", "a", "1")
            try stream.follow(sink) { sink.text.contains("SET") }
            #expect(try room.inspector().probe().bound == sink.end)
        }
    }

    @Test func `huge values and a million arguments pass in small pieces`() async throws {
        try await offPool {
            let server = try RedisServer.start([
                "client-output-buffer-limit replica 0 0 0", "repl-backlog-size 512mb",
            ])
            let stream = try room(server.url).stream()
            _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = CountingSink()
            // Far more than any buffer of ours, yet no more memory than a busy machine hands out
            // while the server still has time for its pings.
            let load = DedicatedThread("load") { () throws(TidemarkError) in
                try server.lines("SETRANGE big 67108863 x\nCOPY big other\n")
                try server.lines(
                    "EVAL \"redis.call('SET', KEYS[1], string.rep('v', 64000000))\" 1 huge\n")
                try server.pipe(resp(["RPUSH", "list"] + (0..<1_000_000).map { "\($0)" }))
                try server.command("SET", "done", "1")
                return try server.offset()
            }
            let until = clock.monotonic().advanced(bySeconds: 300)
            while sink.lastBytes != Array("\r\n1\r\n".utf8), clock.monotonic() < until {
                _ = try stream.pull(
                    until: clock.monotonic().advanced(bySeconds: 0.1), into: sink)
                try stream.acknowledge(received: sink.end, durable: sink.end)
            }
            #expect(try sink.end >= load.join())
            #expect(sink.bytes > 64_000_000)
            #expect(sink.largest <= 256 << 10)
        }
    }
}
