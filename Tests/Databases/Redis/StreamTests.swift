import Model
import Platform
import Redis
import TestKit
import Testing

struct StreamTests {
    @Test func `a fresh server's stream is joined without its data`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            try server.command("SET", "before", "1")
            let stream = try room(server.url).stream()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            #expect(opening.start.timeline.name == (try server.info("master_replid")))
            #expect(opening.serverVersion.hasPrefix("\(RedisServer.majorVersion)."))
            let sink = RecordingSink()
            try server.lines("SELECT 2\nSET after 2\nMULTI\nINCR a\nINCR b\nEXEC\n")
            try stream.follow(sink) { sink.text.contains("EXEC") }
            #expect(sink.start == opening.start.ordinal)
            #expect(!sink.text.contains("before"))
            #expect(sink.edges.last?.state == "2")
            #expect(sink.end == (try server.offset()))
            #expect(sink.notes.last?.last == sink.end)
        }
    }

    @Test func `a live backlog is joined at the server's end`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let first = try room(server.url).stream()
            _ = try first.open(ResumePoint(descriptor: nil, end: nil))
            first.close()
            try server.command("SET", "k", "1")
            let syncs = try server.info("sync_full")
            let stream = try room(server.url).stream()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            #expect(opening.start.ordinal == (try server.offset()))
            #expect(try server.info("sync_full") == syncs)
        }
    }

    @Test func `a stream goes on in the middle of a command`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let room = try room(server.url)
            let stream = room.stream()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            try server.lines("SELECT 5\nSET key value\n")
            try stream.follow(sink) { sink.text.contains("value") }
            stream.close()
            // As if the archive had been cut off nine bytes before the end.
            let kept = RecordingSink()
            let cut = Array(sink.bytes.dropLast(9))
            try kept.append(cut.span.bytes, at: sink.start!)
            try server.command("SET", "other", "x")
            let end = Position(timeline: opening.start.timeline, ordinal: kept.end)
            let again = try stream.open(
                ResumePoint(descriptor: opening.descriptor, end: end, tail: kept.tail()))
            #expect(again.start == end)
            try stream.follow(kept) { kept.text.contains("other") }
            #expect(kept.bytes.starts(with: sink.bytes))
            #expect(kept.edges.last?.state == "0")
            #expect(kept.edges.allSatisfy { !$0.state.isEmpty })
        }
    }

    /// An archive that ends one byte before, at, or one byte behind what the server has sent.
    @Test(arguments: [-1, 0, 1])
    func `no byte comes twice and none is left out, wherever the archive ends`(
        ahead: Int
    ) async throws {
        try await offPool {
            let server = try RedisServer.start(["repl-ping-replica-period 3600"])
            let stream = try room(server.url).stream()
            let second = try room(server.url).stream()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let whole = RecordingSink()
            try server.lines("SELECT 5\nSET key value\n")
            try stream.follow(whole) { whole.text.contains("value\r\n") }
            let kept = RecordingSink()
            let bytes = ahead > 0 ? whole.bytes + [42] : Array(whole.bytes.dropLast(-ahead))
            try kept.append(bytes.span.bytes, at: try #require(whole.start))
            let resume = ResumePoint(
                descriptor: opening.descriptor,
                end: Position(timeline: opening.start.timeline, ordinal: kept.end),
                tail: kept.tail())
            guard ahead <= 0 else {
                let failure = #expect(throws: TidemarkError.self) { try second.open(resume) }
                #expect(failure?.message.contains("behind the archive's end") == true)
                #expect(kept.bytes == bytes)
                return
            }
            _ = try second.open(resume)
            try server.command("SET", "other", "x")
            let end = try server.offset()
            try stream.follow(whole) { whole.end >= end }
            try second.follow(kept) { kept.end >= end }
            #expect(kept.bytes == whole.bytes)
        }
    }

    @Test func `a server restarted from its RDB becomes a child timeline`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let stream = try room(server.url).stream()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            try server.command("SET", "k", "1")
            try stream.follow(sink) { sink.text.contains("k") }
            let stopper = DedicatedStop(server)
            try? stream.follow(sink, seconds: 15) { false }
            try stopper.join()
            try server.start()
            let end = Position(timeline: opening.start.timeline, ordinal: sink.end)
            let again = try stream.open(
                ResumePoint(descriptor: opening.descriptor, end: end, tail: sink.tail()))
            #expect(again.start.timeline != end.timeline)
            #expect(again.start.ordinal == end.ordinal)
            try server.command("SET", "later", "2")
            try stream.follow(sink) { sink.text.contains("later") }
            let name = HistoryDocument.name(again.start.timeline)
            #expect(
                try sink.documents[name].map { try HistoryDocument(parsing: $0).ancestors } == [end]
            )
        }
    }

    @Test func `a server killed and started from an older RDB is followed from the fork`()
        async throws
    {
        try await offPool {
            let server = try RedisServer.start()
            let stream = try room(server.url).stream()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            try server.command("SET", "kept", "1")
            // The stream's own full copy may still be written.
            try eventually("no other save is under way") {
                try server.command("INFO", "persistence").contains("rdb_bgsave_in_progress:0")
            }
            try server.command("SAVE")
            let fork = try server.offset()
            try server.command("SET", "lost", "1")
            try stream.follow(sink) { sink.text.contains("lost") }
            server.kill9()
            try server.start()
            let end = Position(timeline: opening.start.timeline, ordinal: sink.end)
            let again = try stream.open(
                ResumePoint(descriptor: opening.descriptor, end: end, tail: sink.tail()))
            #expect(again.start.ordinal == fork)
            #expect(again.start.timeline != end.timeline)
            let branch = RecordingSink()
            try server.command("SET", "new", "1")
            try stream.follow(branch) { branch.text.contains("new") }
            #expect(branch.start == fork)
            #expect(branch.edges.last?.state == "0")
        }
    }

    @Test func `a server that lost its history is told apart`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let stream = try room(server.url).stream()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            try server.command("SET", "k", "1")
            try stream.follow(sink) { sink.text.contains("k") }
            server.kill9()
            try server.start()
            let end = Position(timeline: opening.start.timeline, ordinal: sink.end)
            let resume = ResumePoint(descriptor: opening.descriptor, end: end, tail: sink.tail())
            let failure = #expect(throws: TidemarkError.self) { try stream.open(resume) }
            #expect(failure?.code == .historyLost)
            let fresh = try stream.open(
                ResumePoint(descriptor: opening.descriptor, end: end, skipsLostHistory: true))
            #expect(fresh.start.timeline != end.timeline)
        }
    }

    @Test func `WAIT counts the archive, and only what is durable`() async throws {
        try await offPool {
            let server = try RedisServer.start()
            let stream = try room(server.url).stream()
            _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            let client = DedicatedLines(server, "SET k 1\nWAIT 1 5000\n")
            try stream.follow(sink) { client.isDone }
            #expect(try client.join()[1] == "1")
            let idle = DedicatedLines(server, "SET k 2\nWAIT 1 300\n")
            var sawRequest = false
            while !idle.isDone {
                let turn = try stream.pull(
                    until: clock.monotonic().advanced(bySeconds: 0.02), into: sink)
                if turn == .replyRequested { sawRequest = true }
            }
            #expect(sawRequest)
            #expect(try idle.join()[1] == "0")
        }
    }
}
