import Model

/// A live server as a replay's target: ordinary commands and bulk writes, no `applyOps`.
final class LiveTarget: ReplayTarget {
    private let connection: Connection
    private var server: UInt32?

    /// `_id`s that are asked for at once.
    private static let questionSize = 1000

    init(_ configuration: MongoConfiguration) throws(TidemarkError) {
        connection = try Connection(configuration)
    }

    /// Refuses a server that has data, or that is older than the archive's. Returns what is worth
    /// a line.
    func check(_ order: RestoreOrder) throws(TidemarkError) -> [String] {
        let hello = try Questions.hello(connection, .primary)
        let version = try Questions.version(connection)
        if Self.major(version) < Self.major(order.backup.server.version) {
            throw TidemarkError(
                .toolMissing,
                "the server at \(connection.configuration.place) is MongoDB \(version), the "
                    + "archive is of \(order.backup.server.version)",
                remedy: "fill a server of the same or a newer version")
        }
        let found = try DumpedCollection.all(connection, .primary).filter {
            $0.namespace.database != "admin"
        }
        if let first = found.first, !order.force {
            throw TidemarkError(
                .destinationOccupied,
                "the server at \(connection.configuration.place) has data: \(first.namespace)",
                remedy: "name an empty server, or give --force to write among what is there")
        }
        if hello.setName == nil {
            return [
                "the server is a standalone; run rs.initiate() on a member of a set to archive it"
            ]
        }
        return []
    }

    private static func major(_ version: String) -> Int {
        let parts = version.split(separator: ".").compactMap { Int($0) }
        return (parts.first ?? 0) * 100 + (parts.count > 1 ? parts[1] : 0)
    }

    // MARK: documents

    func documents(
        _ ids: [BSONValue], in namespace: Namespace
    ) throws(TidemarkError) -> [BSONDocument] {
        var found: [BSONDocument] = []
        var rest = ids[...]
        while !rest.isEmpty {
            let part = rest.prefix(Self.questionSize)
            rest = rest.dropFirst(part.count)
            let filter = BSONDocument([("$in", .array(Array(part)))])
            let command = BSONDocument([
                ("find", .string(namespace.collection)),
                ("filter", .document(BSONDocument([("_id", .document(filter))]))),
                ("batchSize", .int32(Int32(Self.questionSize))),
            ])
            try connection.each(command, on: namespace.database, at: .primary) { document in
                found.append(document)
            }
        }
        return found
    }

    func write(_ batch: WriteBatch, to namespace: Namespace) throws(TidemarkError) -> Int {
        var missing = 0
        var bulk = try BulkWrite(connection, namespace)
        for deletion in batch.deletions { bulk.delete(deletion.id) }
        if !batch.deletions.isEmpty {
            let wanted = batch.deletions.count { $0.mustExist }
            missing += max(0, wanted - (try bulk.run().deleted))
        }
        guard !batch.puts.isEmpty else { return missing }
        bulk = try BulkWrite(connection, namespace)
        for put in batch.puts { bulk.put(put.id, put.document) }
        let outcome = try bulk.run()
        let mayBeNew = batch.puts.count { !$0.mustExist }
        return missing + max(0, outcome.upserted - mayBeNew)
    }

    func append(_ documents: [BSONDocument], to namespace: Namespace) throws(TidemarkError) {
        var bulk = try BulkWrite(connection, namespace)
        for document in documents { bulk.insert(document) }
        _ = try bulk.run()
    }

    // MARK: collections

    private func run(
        _ command: BSONDocument, on database: String, tolerating codes: Set<Int> = []
    ) throws(TidemarkError) {
        switch try connection.answer(command, on: database, at: .primary) {
        case .success: return
        case .failure(let failure) where failure.domain == .server && codes.contains(failure.code):
            return
        case .failure(let failure):
            throw failure.error(connection.configuration, command: command.text(limit: 200))
        }
    }

    func create(_ namespace: Namespace, _ options: BSONDocument) throws(TidemarkError) {
        var place = namespace
        var wanted = options
        if let series = NamespacePolicy.timeSeries(of: namespace) {
            // The server makes the buckets itself, with their validator and clustered index.
            place = series
            wanted = options.without(["validator", "clusteredIndex", "validationLevel"])
        }
        var writer = BSONWriter()
        writer.append("create", .string(place.collection))
        for field in wanted.fields where field.name != "autoIndexId" {
            writer.append(field.name, field.value)
        }
        // NamespaceExists.
        try run(writer.finish(), on: place.database, tolerating: [48])
    }

    func drop(_ namespace: Namespace) throws(TidemarkError) {
        let place = NamespacePolicy.timeSeries(of: namespace) ?? namespace
        // NamespaceNotFound.
        try run(
            BSONDocument([("drop", .string(place.collection))]), on: place.database,
            tolerating: [26])
    }

    func dropDatabase(_ name: String) throws(TidemarkError) {
        try run(BSONDocument([("dropDatabase", .int32(1))]), on: name)
    }

    func rename(
        _ from: Namespace, to: Namespace, dropsTarget: Bool
    ) throws(TidemarkError) {
        try run(
            BSONDocument([
                ("renameCollection", .string(from.description)), ("to", .string(to.description)),
                ("dropTarget", .bool(dropsTarget)),
            ]), on: "admin")
    }

    func modify(_ namespace: Namespace, _ change: BSONDocument) throws(TidemarkError) {
        let place = NamespacePolicy.timeSeries(of: namespace) ?? namespace
        var writer = BSONWriter()
        writer.append("collMod", .string(place.collection))
        for field in change.fields { writer.append(field.name, field.value) }
        try run(writer.finish(), on: place.database)
    }

    func convertToCapped(_ namespace: Namespace, size: Int64) throws(TidemarkError) {
        try run(
            BSONDocument([
                ("convertToCapped", .string(namespace.collection)), ("size", .int64(size)),
            ]), on: namespace.database)
    }

    func empty(_ namespace: Namespace) throws(TidemarkError) {
        let all = BSONDocument([("q", .document(.empty)), ("limit", .int32(0))])
        try run(
            BSONDocument([
                ("delete", .string(namespace.collection)), ("deletes", .array([.document(all)])),
            ]), on: namespace.database)
    }

    func createIndexes(
        _ specifications: [BSONDocument], on namespace: Namespace
    ) throws(TidemarkError) {
        try run(
            BSONDocument([
                ("createIndexes", .string(namespace.collection)),
                ("indexes", .array(specifications.map { .document($0) })),
            ]), on: namespace.database)
    }

    func createView(_ namespace: Namespace, _ options: BSONDocument) throws(TidemarkError) {
        var writer = BSONWriter()
        writer.append("create", .string(namespace.collection))
        for field in options.fields { writer.append(field.name, field.value) }
        try run(writer.finish(), on: namespace.database, tolerating: [48])
    }

    /// The archive and the command line say where to go on: an interrupted restore begins anew.
    func mark(_ position: OpTime) throws(TidemarkError) {}
}
