/// Into how many stretches a collection is cut, and where. Pure.
///
/// Stretches are read side by side and handed on one behind the other, so that the file is the same
/// however many readers there were. What is read ahead waits in memory: a stretch is to be about
/// as large as one answer of a server.
enum ReadPlan {
    /// Bytes of documents in a stretch, as far as they can be told in advance.
    static let rangeBytes: UInt64 = 8 << 20
    /// Most stretches of one collection; larger collections have larger ones.
    static let rangeLimit = 16_384
    /// `_id`s that are drawn for each stretch: more make them more alike.
    private static let drawsPerRange = 8
    /// A server draws without looking at all documents as long as it is less than a twentieth.
    private static let documentsPerDraw: UInt64 = 25

    /// What a server says of a collection.
    struct Size: Hashable, Sendable {
        var bytes: UInt64
        var documents: UInt64
    }

    /// Whether stretches by `_id` can be asked for: there is the index for them, and no order that
    /// would be lost. Collections clustered by `_id` have no such index.
    static func isSplittable(_ collection: DumpedCollection, _ metadata: BSONDocument) -> Bool {
        let indexes = (metadata["indexes"]?.elements ?? []).compactMap(\.document)
        return collection.options["capped"]?.isTrue != true
            && collection.options["clusteredIndex"] == nil
            && collection.options["autoIndexId"]?.isTrue != false
            && indexes.contains { $0.isOfID && $0["clustered"]?.isTrue != true }
    }

    static func ranges(_ size: Size) -> Int {
        guard size.bytes >= 2 * rangeBytes else { return 1 }
        let wanted = Int(clamping: size.bytes / rangeBytes)
        return max(1, min(wanted, rangeLimit, Int(clamping: size.documents / documentsPerDraw)))
    }

    /// How many `_id`s to draw for so many stretches.
    static func draws(_ size: Size, ranges: Int) -> Int {
        min(ranges * drawsPerRange, Int(clamping: size.documents / documentsPerDraw))
    }

    /// Cuts at some of the drawn `_id`s, which the server has put in order and may have drawn more
    /// than once.
    static func cut(_ drawn: [BSONValue], into ranges: Int) -> [IDRange] {
        var bounds: [BSONValue] = []
        for number in stride(from: 1, to: ranges, by: 1) {
            let value = drawn.isEmpty ? nil : drawn[drawn.count * number / ranges]
            // Nothing lies before the one, nor between the other and the end.
            guard let value, value.type != .minKey, value.type != .maxKey, value != bounds.last
            else { continue }
            bounds.append(value)
        }
        var stretches: [IDRange] = []
        var first: BSONValue?
        for bound in bounds {
            stretches.append(IDRange(first: first, end: bound))
            first = bound
        }
        return stretches + [IDRange(first: first, end: nil)]
    }
}
