import Glibc
import Model
import Platform
import Postgres
import TestKit
import Testing

/// A room on a test server, and the loop that a stream's owner runs.
struct RoomHarness {
    let room: PostgresRoom
    let time = SystemTimeSource()

    init(_ url: String, source: String = "ledger", slot: String? = nil) throws {
        let id = try #require(SourceID(source))
        room = PostgresRoom(
            try PostgresConfiguration(source: id, url: url, slot: slot), time: time)
    }

    init(_ server: PostgresServer) throws { try self.init(server.url()) }

    /// Pulls until `isDone`, acknowledging everything as durable; returns the last turn.
    @discardableResult
    func pull(
        _ stream: any ChangeSource, into sink: RecordingSink, seconds: Double = 30,
        until isDone: (StreamTurn) throws -> Bool
    ) throws -> StreamTurn {
        let limit = time.monotonic().advanced(bySeconds: seconds)
        while time.monotonic() < limit {
            let turn = try stream.pull(
                until: time.monotonic().advanced(bySeconds: 0.2), into: sink)
            switch turn {
            case .timelineEnded(let next): sink.begin(next)
            case .drained, .replyRequested, .idle, .received:
                try stream.acknowledge(received: sink.end, durable: sink.end)
            case .finished: return turn
            }
            if try isDone(turn) { return turn }
        }
        throw TidemarkError(.failed, "the stream did not get there within \(seconds) s")
    }

    /// Pulls until everything below `position` has come.
    func pull(
        _ stream: any ChangeSource, into sink: RecordingSink, to position: UInt64,
        seconds: Double = 30
    ) throws {
        try pull(stream, into: sink, seconds: seconds) { _ in sink.end >= position }
    }
}

extension PostgresServer {
    /// The server's flush position.
    func flushed() throws -> UInt64 {
        try #require(LSN.parse(try psql("SELECT pg_current_wal_flush_lsn()")))
    }

    /// Forces everything written so far to disk and returns its end.
    func settle() throws -> UInt64 {
        try psql("SELECT pg_logical_emit_message(true, 'settle', '')")
        return try flushed()
    }

    /// A file of pg_wal, read as the server's own bytes.
    func walFile(_ name: String) throws -> [UInt8] {
        let path = pgData + "/pg_wal/" + name
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        try #require(descriptor >= 0, "no \(path)")
        defer { close(descriptor) }
        var result: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return result }
            result += buffer[..<count]
        }
    }

    /// Compares everything a sink took of a timeline with the files in pg_wal; returns the number of
    /// files.
    @discardableResult
    func expectSameWal(
        _ sink: RecordingSink, timeline: String = "1", from start: UInt64? = nil
    ) throws -> Int {
        let run = try #require(sink.runs[TimelineID(timeline)])
        let style = WalPositionStyle(segmentBytes: UInt64(options.segmentMebibytes) << 20)
        var first = max(run.first, start ?? 0)
        var files = 0
        while first < run.end {
            let last = min(run.end, style.size.start(of: first) + style.size.bytes)
            let name = WalFileName(
                timeline: UInt32(timeline)!, holding: first, size: style.size
            ).text(size: style.size)
            let isSame = areSame(
                run.bytes, Int(first - run.first), try walFile(name), 0, Int(last - first))
            #expect(isSame, "\(name) differs")
            files += 1
            first = last
        }
        return files
    }
}
