import Model
import Platform
import Redis
import TestKit

/// Keeps everything that a stream delivers.
final class RecordingSink: ChangeSink {
    private(set) var bytes: [UInt8] = []
    private(set) var start: UInt64?
    private(set) var edges: [(position: UInt64, state: String)] = []
    private(set) var notes: [HistoryEntry] = []
    private(set) var documents: [String: [UInt8]] = [:]

    var end: UInt64 { (start ?? 0) + UInt64(bytes.count) }
    var text: String { String(decoding: bytes, as: UTF8.self) }

    func append(_ piece: RawSpan, at first: UInt64) throws(TidemarkError) {
        if start == nil { start = first }
        guard first == end else {
            throw TidemarkError(.failed, "a hole: \(first) follows \(end)")
        }
        piece.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    func note(_ entry: HistoryEntry) throws(TidemarkError) { notes.append(entry) }

    func attach(
        _ name: String, timeline: TimelineID, _ bytes: [UInt8]
    ) throws(TidemarkError) { documents[name] = bytes }

    func edge(_ position: UInt64, state: String) throws(TidemarkError) {
        guard position == end else {
            throw TidemarkError(.failed, "an edge at \(position), but bytes end at \(end)")
        }
        edges.append((position, state))
    }

    /// The archive's end as a stream wants it when it is opened again.
    func tail(from edge: Int? = nil) -> StreamTail {
        let first = edge.map { edges[$0].position } ?? start ?? 0
        let state = edge.map { edges[$0].state } ?? ""
        let rest = Array(bytes[Int(first - (start ?? 0))...])
        return StreamTail(first: first, state: state) { (body) throws(TidemarkError) in
            try body(rest.span.bytes)
        }
    }
}

let testSource = SourceID("cache")!
let clock = SystemTimeSource()

func room(_ url: String) throws -> RedisRoom {
    RedisRoom(try RedisConfiguration(source: testSource, url: url), time: clock)
}

extension ChangeSource {
    /// Pulls, flushes in thought and acknowledges, until `condition` holds.
    func follow(
        _ sink: RecordingSink, seconds: Double = 20, until condition: () throws -> Bool
    ) throws {
        let deadline = clock.monotonic().advanced(bySeconds: seconds)
        while try !condition() {
            guard clock.monotonic() < deadline else {
                throw TidemarkError(.failed, "waited \(seconds) s in vain; at \(sink.end)")
            }
            _ = try pull(until: clock.monotonic().advanced(bySeconds: 0.05), into: sink)
            try acknowledge(received: sink.end, durable: sink.end)
        }
    }
}
