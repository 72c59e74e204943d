import Model
import Monitoring

/// Counts the bytes of a stream whose positions do not: what passes is on its way to the archive.
final class EntryCounter: ChangeSink {
    private let sink: any ChangeSink
    private let counters: SourceCounters

    init(_ sink: any ChangeSink, _ counters: SourceCounters) {
        self.sink = sink
        self.counters = counters
    }

    func append(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) {
        try sink.append(bytes, at: first)
        count(bytes)
    }

    func append(
        _ entries: RawSpan, from first: UInt64, to last: UInt64
    ) throws(TidemarkError) {
        try sink.append(entries, from: first, to: last)
        count(entries)
    }

    private func count(_ bytes: RawSpan) {
        counters.add(received: UInt64(bytes.byteCount), archived: UInt64(bytes.byteCount))
    }

    func note(_ entry: HistoryEntry) throws(TidemarkError) { try sink.note(entry) }

    func attach(
        _ name: String, timeline: TimelineID, _ bytes: [UInt8]
    ) throws(TidemarkError) {
        try sink.attach(name, timeline: timeline, bytes)
    }

    func edge(_ position: UInt64, state: String) throws(TidemarkError) {
        try sink.edge(position, state: state)
    }
}
