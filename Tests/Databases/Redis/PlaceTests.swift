import Model
import Platform
@testable import Redis
import TestKit
import Testing

/// What the archiver tells of its own place and takes for the server's: ACKs, times, an RDB's own
/// account, how long the backlog lasts.
struct PlaceTests {
    /// A stream of one command, and a question for our place.
    private func joined(_ version: String) throws -> (RedisDouble, RecordingSink, UInt64) {
        let said =
            Array("+CONTINUE\r\n".utf8) + resp(["SELECT", "0"]) + resp(["SET", "k", "v"])
            + resp(["REPLCONF", "GETACK", "*"])
        let server = try RedisDouble(
            .init(
                info: RedisDouble.info(hasBacklog: true, version: version), pieces: [said]))
        let stream = try room(server.url).stream()
        defer { stream.close() }
        _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
        let sink = RecordingSink()
        let end = 1000 + UInt64(said.count - 11)
        // Before anything is durable, and then all of it.
        while sink.end < end {
            _ = try stream.pull(until: clock.monotonic().advanced(bySeconds: 1), into: sink)
            try stream.acknowledge(received: sink.end, durable: 1000)
        }
        try stream.acknowledge(received: end, durable: end)
        try eventually("the last ACK is there") {
            server.commands.contains { $0.hasPrefix("REPLCONF ACK \(end)") }
        }
        return (server, sink, end)
    }

    @Test(arguments: ["7.2.4", "8.0.1", "7.0.15", "6.2.14"])
    func `WAITAOF is told the same as WAIT, by servers that know it`(version: String) async throws {
        try await offPool {
            let (server, _, end) = try joined(version)
            let acks = server.commands.filter { $0.hasPrefix("REPLCONF ACK") }
            let told: [UInt64] = [999, end]
            let isKnown = RedisVersion(version) >= RedisVersion(7, 2)
            #expect(
                acks == told.map { "REPLCONF ACK \($0)" + (isKnown ? " FACK \($0)" : "") })
        }
    }

    /// The double's clock stands still, years ago.
    @Test func `what comes is noted with the source's time, not our own`() async throws {
        try await offPool {
            let (_, sink, end) = try joined("7.0.15")
            let note = try #require(sink.notes.last)
            let source = CommitTime(microseconds: 1_700_000_000_000_000)
            #expect(note.last == end)
            #expect(abs(note.time.seconds(since: source)) < 10)
            #expect(clock.wall().seconds(since: note.time) > 1_000_000)
        }
    }

    @Test(arguments: [
        (String(repeating: "b", count: 40), 1000), (RedisDouble.history, 1001),
        (RedisDouble.history, 999),
    ])
    func `an RDB that names another place than the answer to PSYNC is refused`(
        id: String, offset: Int
    ) async throws {
        try await offPool {
            let rdb = RedisDouble.rdb(id: id, offset: offset)
            let said =
                Array("+FULLRESYNC \(RedisDouble.history) 1000\r\n$\(rdb.count)\r\n".utf8) + rdb
            let server = try RedisDouble(
                .init(info: RedisDouble.info(hasBacklog: true), pieces: [said]))
            let backup = try room(server.url).baseBackup()
            let error = #expect(throws: TidemarkError.self) {
                try backup.begin(label: "tidemark", fast: true)
            }
            #expect(error?.message.contains("the server said \(RedisDouble.history) 1000") == true)
        }
    }

    @Test func `an RDB alone is asked for, and with its length told beforehand`() async throws {
        try await offPool {
            let rdb = RedisDouble.rdb()
            let said =
                Array("+FULLRESYNC \(RedisDouble.history) 1000\r\n$\(rdb.count)\r\n".utf8) + rdb
            let server = try RedisDouble(
                .init(info: RedisDouble.info(hasBacklog: true), pieces: [said]))
            _ = try room(server.url).baseBackup().begin(label: "tidemark", fast: true)
            #expect(server.commands.contains("REPLCONF rdb-only 1"))
            // With it the server would send a mark instead of a length.
            #expect(!server.commands.contains { $0.contains("eof") }, "\(server.commands)")
        }
    }

    @Test(arguments: [("3.2.13", true, "cannot be archived"), ("6.2.14", false, "relative expiry")])
    func `check says what an old server costs`(
        version: String, isRefused: Bool, words: String
    ) async throws {
        try await offPool {
            let server = try RedisDouble(
                .init(info: RedisDouble.info(hasBacklog: true, version: version)))
            let findings = try room(server.url).inspector().check()
            let found = try #require(findings.first { $0.message.contains(words) }, "\(findings)")
            #expect(found.level == (isRefused ? .error : .warning))
            #expect(found.remedy.contains("upgrade to"))
        }
    }

    @Test func `without INFO the proof is ROLE's, at the source's time`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            try server.lines(
                "ACL SETUSER arch on >pw +psync +replconf +ping +time +role\nSET k 1\n")
            let room = try room("redis://arch:pw@127.0.0.1:\(server.port)")
            let stream = room.stream()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            try server.command("SET", "k", "2")
            let end = try server.offset()
            try stream.follow(sink) { sink.end >= end }
            let inspector = room.inspector()
            let first = try inspector.probe()
            #expect(first.bound == (try server.offset()))
            #expect(first.timeline == opening.start.timeline)
            #expect(abs(try #require(first.sourceTime).seconds(since: first.askedWall)) < 2)
            // Nothing is written, and the proof goes on.
            let later = try inspector.probe()
            #expect(later.sourceTime ?? first.askedWall > first.sourceTime ?? first.askedWall)
            // The backlog's size is INFO's alone.
            #expect(try inspector.sourceWindow() == nil)
        }
    }

    @Test func `check says what a default user that is off costs`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            try server.lines("ACL SETUSER admin on >pw ~* &* +@all\nACL SETUSER default off\n")
            let findings = try room("redis://admin:pw@127.0.0.1:\(server.port)").inspector().check()
            let found = try #require(findings.first { $0.message.contains("user default is off") })
            #expect(found.level == .warning && found.remedy.contains("without MULTI"))
        }
    }

    @Test func `a rate is that of the last minute, of one history`() {
        let start = clock.monotonic()
        var rate = StreamRate()
        #expect(rate.bytesPerSecond == nil)
        for second in 0...200 {
            rate.add(UInt64(second * 100), at: start.advanced(bySeconds: Double(second)))
        }
        #expect(rate.bytesPerSecond == 100)
        for second in 201...300 {
            rate.add(UInt64(second * 1000), at: start.advanced(bySeconds: Double(second)))
        }
        #expect(rate.bytesPerSecond == 1000)
        // Another server begins at its own offsets.
        rate.add(5, at: start.advanced(bySeconds: 301))
        #expect(rate.bytesPerSecond == nil)
        rate.add(5, at: start.advanced(bySeconds: 302))
        #expect(rate.bytesPerSecond == nil)
    }

    @Test func `the source's window is how long the backlog lasts at the present rate`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start(["repl-backlog-size 16mb"])
            let room = try room(server.url)
            let stream = room.stream()
            _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let inspector = room.inspector()
            let began = (try server.offset(), clock.monotonic())
            #expect(try #require(try inspector.sourceWindow()).headroomSeconds == nil)
            let value = String(repeating: "v", count: 100_000)
            for _ in 0..<5 { try server.command("SET", "k", value) }
            // Samples are a second apart at least.
            let window = try eventually("a rate is known") {
                let window = try inspector.sourceWindow()
                return window?.headroomSeconds == nil ? nil : window
            }
            let grown = Double(try server.offset() - began.0)
            let most = clock.monotonic().seconds(since: began.1)
            let seconds = try #require(window.headroomSeconds)
            // What was not taken yet is in it already.
            #expect(abs(Double(window.headroomBytes ?? 0) - (Double(16 << 20) - grown)) < 10_000)
            let held = Double(window.headroomBytes ?? 0)
            #expect(seconds >= held / grown * 0.9)
            #expect(seconds <= held / grown * most * 1.1)
        }
    }
}
