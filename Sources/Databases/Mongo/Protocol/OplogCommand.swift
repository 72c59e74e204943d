/// What an entry with `op: "c"` asks for (`kOpsMap` in the server's oplog.cpp).
package enum OplogCommand: Hashable, Sendable {
    /// All options, without the collection's name, `idIndex` included.
    case create(collection: String, options: BSONDocument)
    case drop(collection: String)
    case dropDatabase
    /// Whether something of the new name is dropped; the entry has its UUID there.
    case rename(from: Namespace, to: Namespace, dropsTarget: Bool, staysTemporary: Bool)
    case modify(collection: String, change: BSONDocument)
    case createIndexes(collection: String, specifications: [BSONDocument])
    /// By name; `*` for all but that of `_id`. By key where `name` is nil.
    case dropIndexes(collection: String, name: String?, key: BSONDocument?)
    case convertToCapped(collection: String, size: Int64)
    case empty(collection: String)
    case applyOps(ApplyOps)
    case commitTransaction
    case abortTransaction
    /// Changes nothing that a restore has to do.
    case ignored(String)
    /// Known, and not to be had by replay: why.
    case refused(String, reason: String)
    case unknown(String)

    /// The operations of an `applyOps`.
    package struct ApplyOps: Hashable, Sendable {
        package var operations: [BSONDocument]
        /// More of the same transaction follows.
        package var isPartial: Bool
        /// Commits only with a later entry.
        package var isPrepared: Bool
        /// How many operations the whole chain has, told by its last entry.
        package var count: Int64?
    }

    private static let ignored: Set<String> = [
        "startIndexBuild", "abortIndexBuild", "dbCheck", "setMultikeyMetadata", "dropIdent",
        "modifyCollectionShardingIndexCatalog", "createDatabaseMetadata", "dropDatabaseMetadata",
    ]
    private static let refused: [String: String] = [
        "importCollection": "its data came as files, which are in no oplog",
        "createGlobalIndex": "global indexes belong to sharded clusters",
        "dropGlobalIndex": "global indexes belong to sharded clusters",
        "upgradeDowngradeViewlessTimeseries":
            "it changes how time series are stored, which only the server itself can do",
    ]

    init(_ o: BSONDocument, _ more: BSONDocument?) {
        guard let first = o.fields.first else {
            self = .unknown("{}")
            return
        }
        let name = first.name
        let text = first.value.string
        switch (name, text) {
        case ("create", let collection?):
            self = .create(collection: collection, options: o.without(["create"]))
        case ("drop", let collection?): self = .drop(collection: collection)
        case ("dropDatabase", _): self = .dropDatabase
        case ("renameCollection", let from?): self = Self.rename(from, o)
        case ("collMod", let collection?):
            self = .modify(collection: collection, change: o.without(["collMod"]))
        case ("createIndexes", let collection?):
            self = .createIndexes(
                collection: collection, specifications: [o.without(["createIndexes"])])
        case ("commitIndexBuild", let collection?):
            self = .createIndexes(
                collection: collection,
                specifications: (o["indexes"]?.elements ?? []).compactMap(\.document))
        case ("dropIndexes", let collection?), ("deleteIndexes", let collection?),
            ("deleteIndex", let collection?), ("dropIndex", let collection?):
            self = .dropIndexes(
                collection: collection, name: o["index"]?.string,
                key: o["index"]?.document ?? more?["key"]?.document)
        case ("convertToCapped", let collection?):
            self = .convertToCapped(collection: collection, size: o["size"]?.integer ?? 0)
        case ("emptycapped", let collection?): self = .empty(collection: collection)
        case ("applyOps", _): self = Self.applyOps(o)
        case ("commitTransaction", _): self = .commitTransaction
        case ("abortTransaction", _): self = .abortTransaction
        default:
            if Self.ignored.contains(name) {
                self = .ignored(name)
            } else if let reason = Self.refused[name] {
                self = .refused(name, reason: reason)
            } else {
                self = .unknown(name)
            }
        }
    }

    private static func rename(_ from: String, _ o: BSONDocument) -> OplogCommand {
        guard let from = Namespace(from), let to = o["to"]?.string.flatMap({ Namespace($0) }) else {
            return .unknown("renameCollection")
        }
        // `dropTarget` is the UUID of what is dropped, or a flag.
        let target = o["dropTarget"]
        return .rename(
            from: from, to: to, dropsTarget: target?.uuid != nil || target?.isTrue == true,
            staysTemporary: o["stayTemp"]?.isTrue == true)
    }

    private static func applyOps(_ o: BSONDocument) -> OplogCommand {
        guard let operations = o["applyOps"]?.elements else { return .unknown("applyOps") }
        return .applyOps(
            ApplyOps(
                operations: operations.compactMap(\.document),
                isPartial: o["partialTxn"]?.isTrue == true,
                isPrepared: o["prepare"]?.isTrue == true, count: o["count"]?.integer))
    }
}
