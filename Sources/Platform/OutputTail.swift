/// The last bytes of an output, at most `limit`; older ones are counted and dropped.
struct OutputTail: Sendable {
    private let limit: Int
    private var kept: [UInt8] = []
    private var dropped: UInt64 = 0

    init(limit: Int) { self.limit = limit }

    mutating func append(_ bytes: ArraySlice<UInt8>) {
        kept += bytes
        // Cut only when twice the limit is there, so that cutting costs little per byte.
        if kept.count > 2 * limit { cut() }
    }

    private mutating func cut() {
        let surplus = kept.count - limit
        guard surplus > 0 else { return }
        kept.removeFirst(surplus)
        dropped += UInt64(surplus)
    }

    var bytes: [UInt8] { Array(kept.suffix(limit)) }
    var text: String { String(decoding: kept.suffix(limit), as: UTF8.self) }
    /// Bytes that came before the kept ones.
    var droppedBytes: UInt64 { dropped + UInt64(max(0, kept.count - limit)) }
}
