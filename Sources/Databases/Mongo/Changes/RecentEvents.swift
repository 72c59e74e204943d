/// The archive's newest documents, as many as fit, so that an event that is told once more can be
/// compared with what is archived.
struct RecentEvents: Hashable, Sendable {
    private var bytes: [UInt8] = []

    /// Bytes that are kept at most.
    static let limit = 1 << 20

    /// Whole documents, one behind the other.
    mutating func keep(_ documents: ArraySlice<UInt8>) {
        if bytes.count + documents.count > Self.limit { bytes.removeAll(keepingCapacity: true) }
        if documents.count <= Self.limit { bytes += documents }
    }

    /// Whether this document is among them, byte for byte.
    func holds(_ document: ArraySlice<UInt8>) -> Bool {
        var place = 0
        while place + 4 <= bytes.count {
            let length = Int(bytes.span.int32(at: place))
            guard length > 4, place + length <= bytes.count else { return false }
            if bytes[place..<place + length] == document { return true }
            place += length
        }
        return false
    }
}
