import Model

/// What the archive holds last of an oplog, or of a change stream.
enum ArchivedTail {
    /// The entry at `end`; nil when the archive holds nothing of it.
    static func lastEntry(_ tail: StreamTail, _ end: UInt64) throws(TidemarkError) -> [UInt8]? {
        var framer = EntryFramer()
        var last: [UInt8]?
        try tail.read { (bytes) throws(TidemarkError) in
            let span = Span<UInt8>(_bytes: bytes)
            try framer.take(span) { (entry) throws(TidemarkError) in
                let head: EntryHead
                do throws(BSONFailure) {
                    head = try EntryHead(entry)
                } catch {
                    throw error.error(
                        .archiveDamaged, in: "an archived oplog entry",
                        remedy: "run `tidemark verify --deep`")
                }
                guard head.ts.ordinal == end else { return }
                var copy: [UInt8] = []
                copy.reserveCapacity(entry.count)
                for place in entry.indices { copy.append(entry[place]) }
                last = copy
            }
        }
        return last
    }

    /// What a change stream ends with.
    static func changes(_ tail: StreamTail) throws(TidemarkError) -> ChangeTail {
        var framer = EntryFramer()
        var found = ChangeTail()
        try tail.read { (bytes) throws(TidemarkError) in
            let span = Span<UInt8>(_bytes: bytes)
            try framer.take(span) { (event) throws(TidemarkError) in
                let bytes = event.array
                found.keep(bytes[...])
                do throws(BSONFailure) {
                    found.take(try BSONDocument(bytes))
                } catch {
                    throw error.error(
                        .archiveDamaged, in: "an archived event",
                        remedy: "run `tidemark verify --deep`")
                }
            }
        }
        return found
    }
}
