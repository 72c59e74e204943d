import Model

/// Takes what a stream delivers, in order.
final class RecordingSink: ChangeSink {
    var bytes: [UInt8] = []
    var position: UInt64 = 0
    var notes: [HistoryEntry] = []
    var edges: [UInt64] = []
    /// Why no document can be written; nil where they can.
    var refusal: TidemarkError?
    private(set) var documents: [TimelineID: [String: [UInt8]]] = [:]
    /// Bytes of each part of a transaction that was not whole when it came.
    private(set) var parts: [Int] = []
    /// Bytes that count.
    private var whole = 0

    /// A new session: what is not whole is cut off, as the archive does.
    func begin(at position: UInt64) {
        bytes.removeLast(bytes.count - whole)
        self.position = position
    }

    func append(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) {
        preconditionFailure("positions of this stream do not count bytes")
    }

    func append(
        _ entries: RawSpan, from first: UInt64, to last: UInt64
    ) throws(TidemarkError) {
        precondition(first == position && last >= first, "a stream has no holes")
        precondition(entries.byteCount > 0, "there is something in it")
        entries.withUnsafeBytes { bytes.append(contentsOf: $0) }
        if last == first { parts.append(entries.byteCount) } else { whole = bytes.count }
        position = last
    }

    func note(_ entry: HistoryEntry) throws(TidemarkError) { notes.append(entry) }

    func attach(
        _ name: String, timeline: TimelineID, _ bytes: [UInt8]
    ) throws(TidemarkError) {
        if let refusal { throw refusal }
        documents[timeline, default: [:]][name] = bytes
    }

    func edge(_ position: UInt64, state: String) throws(TidemarkError) { edges.append(position) }
}
