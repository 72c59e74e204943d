import Model

/// Hands on only what lies below a limit: what follows it is in the archive already.
final class LimitedSink: ChangeSink {
    private let sink: any ChangeSink
    private let limit: UInt64

    init(_ sink: any ChangeSink, below limit: UInt64) {
        self.sink = sink
        self.limit = limit
    }

    func append(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) {
        guard first < limit else { return }
        let count = Int(min(UInt64(bytes.byteCount), limit - first))
        try sink.append(bytes.extracting(0..<count), at: first)
    }

    /// An entry belongs to the segment that holds its last byte.
    func note(_ entry: HistoryEntry) throws(TidemarkError) {
        if entry.last <= limit { try sink.note(entry) }
    }

    func attach(
        _ name: String, timeline: TimelineID, _ bytes: [UInt8]
    ) throws(TidemarkError) {
        try sink.attach(name, timeline: timeline, bytes)
    }

    func edge(_ position: UInt64, state: String) throws(TidemarkError) {
        if position <= limit { try sink.edge(position, state: state) }
    }
}
