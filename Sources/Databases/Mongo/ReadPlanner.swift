import Model

/// Asks a server how large its collections are and where they can be cut.
struct ReadPlanner {
    let connection: Connection
    let member: Connection.Member

    /// How each collection is read; the others, which have come since, as they lie.
    private(set) var orders: [DumpedCollection: [ReadOrder]] = [:]
    /// Of all documents, as far as the server says.
    private(set) var bytes: UInt64 = 0

    init(
        _ connection: Connection, _ member: Connection.Member, _ listing: BaseListing
    ) throws(TidemarkError) {
        self.connection = connection
        self.member = member
        for item in listing.items where item.collection.hasDocuments {
            guard let size = try size(item.collection.namespace) else { continue }
            bytes += size.bytes
            let ranges = ReadPlan.ranges(size)
            guard ranges > 1, ReadPlan.isSplittable(item.collection, item.metadata) else {
                continue
            }
            let namespace = item.collection.namespace
            let drawn = try draw(namespace, ReadPlan.draws(size, ranges: ranges))
            let cut = ReadPlan.cut(drawn, into: ranges)
            if cut.count > 1, try isHeeded(cut[cut.count / 2].first, namespace) {
                orders[item.collection] = cut.map { .byID($0) }
            }
        }
    }

    func orders(_ collection: DumpedCollection) -> [ReadOrder] { orders[collection] ?? [.natural] }

    /// Nil where the server does not say.
    private func size(_ namespace: Namespace) throws(TidemarkError) -> ReadPlan.Size? {
        let command = BSONDocument([("collStats", .string(namespace.collection))])
        guard let reply = try answer(command, namespace),
            let bytes = reply["size"]?.integer, let documents = reply["count"]?.integer
        else { return nil }
        return ReadPlan.Size(bytes: UInt64(max(0, bytes)), documents: UInt64(max(0, documents)))
    }

    /// In the server's own order, which is that of the index.
    private func draw(_ namespace: Namespace, _ count: Int) throws(TidemarkError) -> [BSONValue] {
        let onlyID = BSONValue.document(BSONDocument([("_id", .int32(1))]))
        let sample = BSONDocument([("size", .int64(Int64(count)))])
        let stages = [("$sample", .document(sample)), ("$project", onlyID), ("$sort", onlyID)]
            .map { BSONValue.document(BSONDocument([$0])) }
        let command = BSONDocument([
            ("aggregate", .string(namespace.collection)), ("pipeline", .array(stages)),
            ("cursor", .document(BSONDocument([("batchSize", .int32(10_000))]))),
            ("allowDiskUse", .bool(true)), ("maxTimeMS", .int32(30_000)),
        ])
        var drawn: [BSONValue] = []
        guard let reply = try answer(command, namespace) else { return [] }
        try connection.each(from: reply, on: namespace.database, at: member) { document in
            if let id = document["_id"] { drawn.append(id) }
        }
        return drawn
    }

    /// Whether the server keeps to bounds: the document before `bound` is followed by that of
    /// `bound`, and nothing else. Some that speak the protocol pay no heed to them, and every
    /// stretch would be the whole collection.
    private func isHeeded(
        _ bound: BSONValue?, _ namespace: Namespace
    ) throws(TidemarkError) -> Bool {
        guard let bound else { return false }
        let back = BSONValue.document(BSONDocument([("_id", .int32(-1))]))
        let before = question(namespace, IDRange(first: nil, end: bound), count: 1)
            .setting("sort", back)
        guard let last = try ids(before, namespace).first else { return false }
        let pair = question(namespace, IDRange(first: last, end: nil), count: 2)
        return try ids(pair, namespace) == [last, bound]
    }

    private func question(_ namespace: Namespace, _ range: IDRange, count: Int32) -> BSONDocument {
        BSONDocument(
            [("find", .string(namespace.collection))] + range.fields + [
                ("projection", .document(BSONDocument([("_id", .int32(1))]))),
                ("limit", .int32(count)), ("batchSize", .int32(count)),
                ("singleBatch", .bool(true)),
            ])
    }

    private func ids(
        _ command: BSONDocument, _ namespace: Namespace
    ) throws(TidemarkError) -> [BSONValue] {
        guard let reply = try answer(command, namespace) else { return [] }
        return (reply["cursor"]?.document?["firstBatch"]?.elements ?? [])
            .compactMap { $0.document?["_id"] }
    }

    /// Nil for an error answer: then there is one stretch.
    private func answer(
        _ command: BSONDocument, _ namespace: Namespace
    ) throws(TidemarkError) -> BSONDocument? {
        switch try connection.answer(command, on: namespace.database, at: member) {
        case .success(let reply): return reply
        case .failure(let failure) where failure.domain == .server: return nil
        case .failure(let failure):
            throw failure.error(
                connection.configuration,
                command: "\(command.firstName ?? "") on \(namespace)")
        }
    }
}
