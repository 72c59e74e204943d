import Model
import Platform
@testable import Redis
import TestKit
import Testing

/// What a server says before the stream begins, in whatever pieces it arrives: nothing of it is
/// stored.
struct JoinTests {
    private static let commands =
        resp(["SELECT", "3"]) + resp(["SET", "k", "\n\n+CONTINUE\r\n$18\r\n"])
        + resp(["MULTI"]) + resp(["INCR", "n"]) + resp(["EXEC"])

    /// All that is said in two pieces, for every place between them, and byte by byte.
    private static func splits(_ bytes: [UInt8]) -> [[[UInt8]]] {
        (1..<bytes.count).map { [Array(bytes[..<$0]), Array(bytes[$0...])] }
            + [bytes.map { [$0] }]
    }

    /// Joins, follows to the end, and compares what is kept.
    private func expectStream(
        _ said: [UInt8], hasBacklog: Bool, acknowledged: [UInt8] = [],
        location: SourceLocation = #_sourceLocation
    ) throws {
        for pieces in Self.splits(said) {
            let note = Comment(rawValue: "the first piece has \(pieces[0].count) bytes")
            let server = try RedisDouble(
                .init(
                    info: RedisDouble.info(hasBacklog: hasBacklog), pieces: pieces,
                    acknowledged: acknowledged))
            let stream = try room(server.url).stream()
            defer { stream.close() }
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let start = Position(timeline: TimelineID(RedisDouble.history), ordinal: 1000)
            let sink = RecordingSink()
            try stream.follow(sink, seconds: 20) {
                sink.end >= 1000 + UInt64(Self.commands.count)
            }
            guard opening.start == start, sink.start == 1000, sink.bytes == Self.commands,
                sink.edges.last?.state == "3", sink.edges.last?.position == sink.end
            else {
                Issue.record("\(note): \(sink.text)", sourceLocation: location)
                return
            }
        }
    }

    @Test func `newlines before +CONTINUE are never stored, wherever the answer is split`()
        async throws
    {
        try await offPool {
            for line in [
                "+CONTINUE\r\n", "+CONTINUE \(RedisDouble.history)\r\n",
                "+CONTINUE \(RedisDouble.history)\n",
            ] {
                try expectStream(
                    Array("\n\n\n\(line)".utf8) + Self.commands, hasBacklog: true)
            }
        }
    }

    @Test func `newlines around +FULLRESYNC and before the RDB are never stored`() async throws {
        try await offPool {
            let head = "\n\n+FULLRESYNC \(RedisDouble.history) 1000\r\n\n\n\n"
            let counted = Array("\(head)$\(RedisDouble.rdb().count)\r\n".utf8) + RedisDouble.rdb()
            try expectStream(counted + Self.commands, hasBacklog: false)
            let marker = String(repeating: "m", count: 40)
            let marked =
                Array("\(head)$EOF:\(marker)\r\n".utf8) + RedisDouble.rdb() + Array(marker.utf8)
            // Behind an RDB of unknown length the stream waits for an ACK.
            try expectStream(marked, hasBacklog: false, acknowledged: Self.commands)
        }
    }

    @Test func `a base backup is the RDB and nothing of what comes before it`() async throws {
        try await offPool {
            let said =
                Array(
                    "\n\n+FULLRESYNC \(RedisDouble.history) 1000\r\n\n\n$\(RedisDouble.rdb().count)\r\n"
                        .utf8)
                + RedisDouble.rdb()
            for pieces in Self.splits(said) {
                let server = try RedisDouble(
                    .init(info: RedisDouble.info(hasBacklog: true), pieces: pieces))
                let backup = try room(server.url).baseBackup()
                let start = try backup.begin(label: "tidemark", fast: true)
                let file = CollectedBackup()
                var end: BaseBackupEnd?
                while end == nil { end = try backup.pull(into: file) }
                guard start.start == 1000, start.timeline.name == RedisDouble.history,
                    file.bytes == RedisDouble.rdb()
                else {
                    Issue.record("the first piece has \(pieces[0].count) bytes")
                    return
                }
            }
        }
    }

    /// A server that makes another RDB first says so with a newline each second, however long.
    @Test func `as long as newlines come the answer is waited for`() async throws {
        try await offPool {
            let answer =
                "+FULLRESYNC \(RedisDouble.history) 1000\r\n$\(RedisDouble.rdb().count)\r\n"
            let pieces =
                [[UInt8]](repeating: [10], count: 12) + [Array(answer.utf8) + RedisDouble.rdb()]
            let server = try RedisDouble(
                .init(info: RedisDouble.info(hasBacklog: false), pieces: pieces, pause: 0.1))
            var configuration = try RedisConfiguration(source: testSource, url: server.url)
            configuration.joinSeconds = 0.5
            let stream = RedisRoom(configuration, time: clock).stream()
            #expect(try stream.open(ResumePoint(descriptor: nil, end: nil)).start.ordinal == 1000)
            // Silence is not.
            let silent = try RedisDouble(.init(info: RedisDouble.info(hasBacklog: false)))
            var other = try RedisConfiguration(source: testSource, url: silent.url)
            other.joinSeconds = 0.5
            let dead = RedisRoom(other, time: clock).stream()
            let error = #expect(throws: TidemarkError.self) {
                try dead.open(ResumePoint(descriptor: nil, end: nil))
            }
            #expect(error?.message.contains("did not answer PSYNC") == true, "\(error as Any)")
        }
    }
}
