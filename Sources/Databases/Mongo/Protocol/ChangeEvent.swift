/// An event of a change stream, read as what an oplog entry would do
/// (docs/change_stream_events.md in the server's sources).
///
/// The names of events before 6.0: insert, update, replace, delete, drop, rename, dropDatabase,
/// invalidate. From 6.0 on also create, modify, createIndexes, dropIndexes.
enum ChangeEvent {
    /// What changes nothing that a restore has to do.
    private static let ignored: Set<String> = [
        ProgressMark.operation, "invalidate", "shardCollection", "reshardCollection",
        "refineCollectionShardKey", "startIndexBuild", "abortIndexBuild",
    ]

    /// - Parameter event: with all its parts.
    static func change(_ event: BSONDocument) throws(BSONFailure) -> OplogChange {
        guard let type = event["operationType"]?.string else {
            throw BSONFailure("an event has no operationType", at: 0)
        }
        if ignored.contains(type) { return .noop(event) }
        let place = event["ns"]?.document
        let database = place?["db"]?.string ?? ""
        let collection = place?["coll"]?.string ?? ""
        guard !database.isEmpty, !collection.isEmpty || type == "dropDatabase" else {
            throw BSONFailure("an event has no ns", at: 0)
        }
        let uuid = event["collectionUUID"]?.uuid
        let target = OplogChange.Target(namespace: Namespace(database, collection), uuid: uuid)
        let command = OplogChange.Target(namespace: Namespace(database, "$cmd"), uuid: uuid)
        switch type {
        case "insert": return .insert(target, try document(event, "fullDocument"))
        case "replace":
            let content = try document(event, "fullDocument")
            return .update(target, key: try document(event, "documentKey"), .replacement(content))
        case "update":
            let update = try DescribedUpdate(document(event, "updateDescription"))
            return .update(target, key: try document(event, "documentKey"), .described(update))
        case "delete": return .delete(target, key: try document(event, "documentKey"))
        case "drop": return .command(command, .drop(collection: collection))
        case "dropDatabase": return .command(command, .dropDatabase)
        case "rename": return .command(command, rename(event, target.namespace))
        case "create": return create(event, target, command)
        case "modify":
            let content = event["operationDescription"]?.document ?? .empty
            return .command(command, .modify(collection: collection, change: content))
        case "createIndexes":
            return .command(
                command,
                .createIndexes(collection: collection, specifications: indexes(event)))
        case "dropIndexes": return .command(command, dropIndexes(event, target.namespace))
        default: return .unknown(type)
        }
    }

    private static func document(
        _ event: BSONDocument, _ name: String
    ) throws(BSONFailure) -> BSONDocument {
        guard let found = event[name]?.document else {
            throw BSONFailure("an event has no \(name)", at: 0)
        }
        return found
    }

    private static func indexes(_ event: BSONDocument) -> [BSONDocument] {
        let description = event["operationDescription"]?.document
        return (description?["indexes"]?.elements ?? []).compactMap(\.document)
    }

    private static func rename(_ event: BSONDocument, _ from: Namespace) -> OplogCommand {
        let to = event["to"]?.document
        guard let database = to?["db"]?.string, let collection = to?["coll"]?.string else {
            return .unknown("rename without a new name")
        }
        let dropped = event["operationDescription"]?.document?["dropTarget"]
        return .rename(
            from: from, to: Namespace(database, collection),
            dropsTarget: dropped?.uuid != nil || dropped?.isTrue == true, staysTemporary: false)
    }

    /// A view comes as one, with `nsType` from 7.0 on; its definition goes where oplogs have it.
    private static func create(
        _ event: BSONDocument, _ target: OplogChange.Target, _ command: OplogChange.Target
    ) -> OplogChange {
        let options = event["operationDescription"]?.document ?? .empty
        let namespace = target.namespace
        guard options["viewOn"] != nil else {
            return .command(command, .create(collection: namespace.collection, options: options))
        }
        var writer = BSONWriter()
        writer.append("_id", .string(namespace.description))
        for field in options.fields where field.name != "idIndex" {
            writer.append(field.rawName, field.value)
        }
        return .insert(
            OplogChange.Target(namespace: Namespace(namespace.database, "system.views"), uuid: nil),
            writer.finish())
    }

    /// Of several, one command each.
    private static func dropIndexes(_ event: BSONDocument, _ place: Namespace) -> OplogCommand {
        let names = indexes(event).compactMap { $0["name"]?.string }
        if names.count == 1 {
            return .dropIndexes(collection: place.collection, name: names[0], key: nil)
        }
        let operations = names.map { name in
            BSONDocument([
                ("op", .string("c")), ("ns", .string("\(place.database).$cmd")),
                (
                    "o",
                    .document(
                        BSONDocument([
                            ("dropIndexes", .string(place.collection)), ("index", .string(name)),
                        ]))
                ),
            ])
        }
        return .applyOps(
            OplogCommand.ApplyOps(
                operations: operations, isPartial: false, isPrepared: false, count: nil))
    }
}
