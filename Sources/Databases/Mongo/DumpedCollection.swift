import Model
import Platform

/// One collection or view of a base backup, laid out as mongodump does: `<db>/<name>.metadata.json`
/// and `<db>/<name>.bson`.
struct DumpedCollection: Hashable, Sendable {
    let namespace: Namespace
    /// `collection`, `view` or `timeseries`.
    let type: String
    let options: BSONDocument
    let uuid: CollectionUUID?

    /// A view has none; those of a time series lie in its buckets.
    var hasDocuments: Bool { type == "collection" }

    /// Bytes other than letters, digits, `.`, `_` and `-` as `%XX`, which mongorestore undoes.
    var fileName: String {
        let escape = { (text: String) in
            PercentText.encoded(text) { PercentText.isPlain($1) && !($0 == 0 && $1 == 46) }
        }
        let name = DumpedName(escape(namespace.collection), of: namespace.collection)
        return escape(namespace.database) + "/" + name.archived
    }

    /// Everything that a restore can use, by name.
    static func all(
        _ connection: Connection, _ member: Connection.Member
    ) throws(TidemarkError) -> [DumpedCollection] {
        let reply = try connection.run(
            BSONDocument([("listDatabases", .int32(1)), ("nameOnly", .bool(true))]), at: member)
        let names = (reply["databases"]?.elements ?? []).compactMap { $0.document?["name"]?.string }
        var found: [DumpedCollection] = []
        for database in names.sorted() where !["local", "config"].contains(database) {
            found += try inside(database, connection, member)
        }
        return found
    }

    private static func inside(
        _ database: String, _ connection: Connection, _ member: Connection.Member
    ) throws(TidemarkError) -> [DumpedCollection] {
        var found: [DumpedCollection] = []
        let command = BSONDocument([("listCollections", .int32(1))])
        try connection.each(command, on: database, at: member) { description in
            guard let name = description["name"]?.string else { return }
            let namespace = Namespace(database, name)
            guard NamespacePolicy.isDumped(namespace) else { return }
            found.append(
                DumpedCollection(
                    namespace: namespace, type: description["type"]?.string ?? "collection",
                    options: description["options"]?.document ?? .empty,
                    uuid: description["info"]?.document?["uuid"]?.uuid))
        }
        return found.sorted { $0.namespace < $1.namespace }
    }

    /// As mongodump writes it. Of a time series the indexes are told in its own fields, and its
    /// buckets have no file of this kind.
    ///
    /// - Parameter buckets: of a time series; what they are known by is told too, since the oplog
    ///   speaks of them alone. The official tools pass over it.
    func metadata(
        _ connection: Connection, _ member: Connection.Member, buckets: DumpedCollection? = nil
    ) throws(TidemarkError) -> BSONDocument {
        let isIndexed = hasDocuments || buckets != nil
        let indexes = isIndexed ? try indexes(connection, member) : []
        var fields: [(String, BSONValue)] = [
            ("options", .document(options)), ("indexes", .array(indexes)),
            ("uuid", .string(uuid?.description ?? "")),
            ("collectionName", .string(namespace.collection)), ("type", .string(type)),
        ]
        if let buckets {
            let told = BSONDocument([
                ("options", .document(buckets.options)),
                ("indexes", .array(try buckets.indexes(connection, member))),
                ("uuid", .string(buckets.uuid?.description ?? "")),
            ])
            fields.append(("buckets", .document(told)))
        }
        return BSONDocument(fields)
    }

    private func indexes(
        _ connection: Connection, _ member: Connection.Member
    ) throws(TidemarkError) -> [BSONValue] {
        var indexes: [BSONValue] = []
        let command = BSONDocument([("listIndexes", .string(namespace.collection))])
        do throws(TidemarkError) {
            try connection.each(command, on: namespace.database, at: member) { index in
                indexes.append(.document(index))
            }
        } catch let error where error.code == .notFound {
            // Dropped since it was listed: the oplog tells.
            return []
        }
        return indexes
    }
}

extension Connection {
    /// Every document of a cursor that is short enough to be kept.
    func each(
        _ command: BSONDocument, on database: String, at member: Connection.Member,
        _ body: (BSONDocument) -> Void
    ) throws(TidemarkError) {
        switch try answer(command, on: database, at: member) {
        case .success(let first): try each(from: first, on: database, at: member, body)
        // NamespaceNotFound; CommandNotSupportedOnView of what has become one.
        case .failure(let failure)
        where failure.domain == .server && [26, 166].contains(failure.code):
            throw TidemarkError(.notFound, "\(database) has no such collection")
        case .failure(let failure):
            throw failure.error(configuration, command: command.firstName ?? "")
        }
    }

    /// The same from an answer that has come.
    func each(
        from first: BSONDocument, on database: String, at member: Connection.Member,
        _ body: (BSONDocument) -> Void
    ) throws(TidemarkError) {
        var reply = first
        var batch = "firstBatch"
        while true {
            let cursor = reply["cursor"]?.document
            for document in cursor?[batch]?.elements ?? [] {
                if let document = document.document { body(document) }
            }
            guard let id = cursor?["id"]?.integer, id != 0,
                let namespace = cursor?["ns"]?.string.flatMap({ Namespace($0) })
            else { return }
            reply = try run(
                BSONDocument([
                    ("getMore", .int64(id)), ("collection", .string(namespace.collection)),
                ]), on: database, at: member)
            batch = "nextBatch"
        }
    }
}
