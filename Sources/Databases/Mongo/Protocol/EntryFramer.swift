import Model

/// Cuts a stream of concatenated entries, which comes in pieces of any size, into whole entries.
///
/// An entry that lies whole in one piece is lent from there; only one that is torn is copied.
struct EntryFramer {
    private var torn: [UInt8] = []
    /// Length of the torn entry, once four bytes of it are there.
    private var wanted = 0

    /// Bytes of an entry that has not ended.
    var pending: Int { torn.count }

    mutating func take(
        _ bytes: Span<UInt8>,
        _ body: (Span<UInt8>) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        var offset = try complete(bytes, body)
        while bytes.count - offset >= 4 {
            let length = try Self.length(bytes, at: offset)
            guard bytes.count - offset >= length else { break }
            try body(bytes.extracting(offset..<offset + length))
            offset += length
        }
        for place in offset..<bytes.count { torn.append(bytes[place]) }
    }

    /// Completes the torn entry; returns how many bytes that took.
    private mutating func complete(
        _ bytes: Span<UInt8>, _ body: (Span<UInt8>) throws(TidemarkError) -> Void
    ) throws(TidemarkError) -> Int {
        var offset = 0
        if torn.isEmpty { return 0 }
        while torn.count < 4, offset < bytes.count {
            torn.append(bytes[offset])
            offset += 1
        }
        guard torn.count >= 4 else { return offset }
        wanted = try Self.length(torn.span, at: 0)
        torn.reserveCapacity(wanted)
        while torn.count < wanted, offset < bytes.count {
            torn.append(bytes[offset])
            offset += 1
        }
        guard torn.count == wanted else { return offset }
        let whole = torn
        torn.removeAll(keepingCapacity: wanted <= 1 << 20)
        try body(whole.span)
        return offset
    }

    private static func length(_ bytes: Span<UInt8>, at offset: Int) throws(TidemarkError) -> Int {
        do {
            return try BSONWalker.length(bytes, at: offset)
        } catch {
            throw error.error(
                .archiveDamaged, in: "an oplog entry",
                remedy: "run `tidemark verify --deep` to find the segment, and bring it back from "
                    + "a copy of the archive")
        }
    }
}
