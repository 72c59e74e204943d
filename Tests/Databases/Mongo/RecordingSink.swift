import Model

/// Takes what a stream delivers, in order.
final class RecordingSink: ChangeSink {
    var bytes: [UInt8] = []
    var position: UInt64 = 0
    var notes: [HistoryEntry] = []
    var edges: [UInt64] = []

    func append(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) {
        preconditionFailure("positions of this stream do not count bytes")
    }

    func append(
        _ entries: RawSpan, from first: UInt64, to last: UInt64
    ) throws(TidemarkError) {
        precondition(first == position && last > first, "a stream has no holes")
        entries.withUnsafeBytes { bytes.append(contentsOf: $0) }
        position = last
    }

    func note(_ entry: HistoryEntry) throws(TidemarkError) { notes.append(entry) }

    func attach(
        _ name: String, timeline: TimelineID, _ bytes: [UInt8]
    ) throws(TidemarkError) {
        preconditionFailure("this stream has no documents")
    }

    func edge(_ position: UInt64, state: String) throws(TidemarkError) { edges.append(position) }
}
