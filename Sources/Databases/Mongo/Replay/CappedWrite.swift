import Model

/// Writes to a capped collection: in order, over one connection, because the order in which
/// documents came is the order in which they lie and leave.
struct CappedWrite {
    private let connection: Connection
    private let placed: PlacedBatch

    init(_ connection: Connection, _ placed: PlacedBatch) {
        self.connection = connection
        self.placed = placed
    }

    /// - Parameter mayBeAhead: an interrupted restore may have written a beginning of it.
    func run(mayBeAhead: Bool) throws(TidemarkError) -> Int {
        let namespace = placed.namespace
        var puts = placed.batch.puts[...]
        if mayBeAhead {
            // What lies before the newest that is there was written, and may have left since.
            let there = Set(
                try connection.documents(puts.map(\.id), in: namespace)
                    .compactMap { $0["_id"] })
            // Killed between the two steps, it has one with the server's own time.
            var empty = EmptyTimestamps()
            for put in puts where there.contains(put.id) { empty.look(put.document) }
            try empty.put(connection, into: namespace)
            if let last = puts.lastIndex(where: { $0.isNew && there.contains($0.id) }) {
                puts =
                    puts.enumerated().filter { $0.offset > last || !$0.element.isNew }
                    .map(\.element)[...]
            }
        }
        if !placed.batch.deletions.isEmpty {
            _ = try connection.delete(placed.batch.deletions.map(\.id), in: namespace)
        }
        guard !puts.isEmpty else { return 0 }
        guard puts.allSatisfy(\.isNew) else {
            let upserted = try connection.put(Array(puts), in: namespace, isOrdered: true)
            return max(0, upserted - puts.count { !$0.mustExist })
        }
        while !puts.isEmpty {
            let bytes = puts.flatMap(\.document.bytes)
            let stopped = try BulkInsert.run(
                connection, namespace, bytes, count: puts.count, isOrdered: true)
            guard let first = stopped.first else { return 0 }
            // It was there; those behind it were not sent.
            puts = puts.dropFirst(first + 1)
        }
        return 0
    }
}
