import Model

/// Counts what a stream delivers and keeps only its last bytes.
final class CountingSink: ChangeSink {
    private(set) var bytes: UInt64 = 0
    private(set) var end: UInt64 = 0
    private(set) var largest = 0
    private var tail: [UInt8] = []

    var lastBytes: [UInt8] { tail }

    func append(_ piece: RawSpan, at first: UInt64) throws(TidemarkError) {
        bytes += UInt64(piece.byteCount)
        end = first + UInt64(piece.byteCount)
        largest = max(largest, piece.byteCount)
        piece.extracting(droppingFirst: max(0, piece.byteCount - 5)).withUnsafeBytes {
            tail.append(contentsOf: $0)
        }
        tail = Array(tail.suffix(5))
    }

    func note(_ entry: HistoryEntry) throws(TidemarkError) {}

    func attach(
        _ name: String, timeline: TimelineID, _ bytes: [UInt8]
    ) throws(TidemarkError) {}
}
