import Model

/// The entries of archived segments, cut from pieces of any size. Entries never span segments, so
/// bytes of another segment begin anew.
struct ArchivedEntries {
    private var framer = EntryFramer()
    private var segment: UInt64?
    private var previous = OpTime.zero

    mutating func take(
        _ bytes: RawSpan, at first: UInt64,
        _ body: (Span<UInt8>, EntryHead) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        if segment != first {
            // An open segment may end inside an entry that a crash has torn.
            framer = EntryFramer()
            segment = first
        }
        let span = Span<UInt8>(_bytes: bytes)
        try framer.take(span) { (entry) throws(TidemarkError) in
            let head: EntryHead
            do throws(BSONFailure) {
                head = try EntryHead(entry, previous: previous)
                previous = head.ts
            } catch {
                throw error.error(
                    .archiveDamaged, in: "an archived oplog entry",
                    remedy: "run `tidemark verify --deep` to find the segment, and bring it back "
                        + "from a copy of the archive")
            }
            try body(entry, head)
        }
    }
}

extension Span<UInt8> {
    /// A copy of all of it.
    var array: [UInt8] {
        unsafe withUnsafeBufferPointer { unsafe Array($0) }
    }
}
