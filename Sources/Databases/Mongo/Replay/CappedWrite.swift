import Model

/// Writes to a capped collection: in order, over one connection, because the order in which
/// documents came is the order in which they lie and leave.
///
/// What was there and is not any more has left by itself. It is not made again by a change of it:
/// it would be the newest then, and the oldest would leave for it.
struct CappedWrite {
    private let connection: Connection
    private let placed: PlacedBatch

    /// `_id`s that are asked for at once.
    private static let questionSize = 1000

    init(_ connection: Connection, _ placed: PlacedBatch) {
        self.connection = connection
        self.placed = placed
    }

    /// - Parameter mayBeAhead: an interrupted restore may have written a beginning of it.
    func run(mayBeAhead: Bool) throws(TidemarkError) {
        let namespace = placed.namespace
        if !placed.batch.deletions.isEmpty {
            _ = try connection.delete(placed.batch.deletions.map(\.id), in: namespace)
        }
        var puts = placed.batch.puts[...]
        if mayBeAhead {
            // What lies before the newest that is there was written, and may have left since.
            let there = try there(puts)
            let isThere = { (put: WriteBatch.Put) in there.contains(WriteWindow.key(put.id)) }
            if let last = puts.lastIndex(where: { $0.isNew && isThere($0) }) {
                // Not always as it is to be: what was written may have ended before a change of it,
                // or before its empty timestamps.
                try put(puts[...last].filter(isThere))
                puts = puts[(last + 1)...]
            }
        }
        guard puts.allSatisfy(\.isNew) else { return try put(Array(puts)) }
        while !puts.isEmpty {
            let bytes = puts.flatMap(\.document.bytes)
            let stopped = try BulkInsert.run(
                connection, namespace, bytes, count: puts.count, isOrdered: true)
            guard let first = stopped.first else { return }
            // It was there, perhaps as it was before a change; those behind it were not sent.
            try put([puts[puts.startIndex + first]])
            puts = puts.dropFirst(first + 1)
        }
    }

    private func put(_ puts: [WriteBatch.Put]) throws(TidemarkError) {
        guard !puts.isEmpty else { return }
        var bulk = BulkWrite(connection, placed.namespace, isOrdered: true)
        for put in puts { bulk.put(put.id, put.document, makes: put.isNew) }
        _ = try bulk.run()
    }

    private func there(_ puts: ArraySlice<WriteBatch.Put>) throws(TidemarkError) -> Set<BSONValue> {
        var found: Set<BSONValue> = []
        for part in puts.map(\.id).pieces(Self.questionSize, { _ in 1 }) {
            for document in try connection.documents(part, in: placed.namespace) {
                if let id = document["_id"] { found.insert(WriteWindow.key(id)) }
            }
        }
        return found
    }
}
