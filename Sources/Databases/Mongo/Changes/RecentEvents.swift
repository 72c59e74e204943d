/// The archive's newest documents, as many as fit, so that an event that is told once more can be
/// compared with what is archived.
struct RecentEvents: Hashable, Sendable {
    private var bytes: [UInt8] = []

    /// Bytes that are kept at most; when they are full, the older half goes.
    static let limit = 1 << 20

    /// Whole documents, one behind the other.
    mutating func keep(_ documents: ArraySlice<UInt8>) {
        if documents.count > Self.limit {
            bytes = Array(Self.newest(of: documents))
            return
        }
        if bytes.count + documents.count > Self.limit { bytes = Array(Self.newest(of: bytes[...])) }
        if bytes.count + documents.count > Self.limit { bytes = [] }
        bytes += documents
    }

    /// The last whole documents, of half the limit together.
    private static func newest(of documents: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var place = documents.startIndex
        while documents.endIndex - place > limit / 2 {
            guard let next = end(of: documents, at: place) else { return [] }
            place = next
        }
        return documents[place...]
    }

    /// Where the document at `place` ends; nil where it is not whole.
    private static func end(of documents: ArraySlice<UInt8>, at place: Int) -> Int? {
        guard place + 4 <= documents.endIndex else { return nil }
        let length = Int(documents.span.int32(at: place - documents.startIndex))
        guard length > 4, length <= documents.endIndex - place else { return nil }
        return place + length
    }

    /// Whether this document is among them, byte for byte.
    func holds(_ document: ArraySlice<UInt8>) -> Bool {
        var place = 0
        while let end = Self.end(of: bytes[...], at: place) {
            if bytes[place..<end] == document { return true }
            place = end
        }
        return false
    }
}
