import Model

/// What a base backup says of a collection beside its documents.
struct StoredCollection: Sendable {
    let namespace: Namespace
    let type: String
    let options: BSONDocument
    let indexes: [BSONDocument]
    let uuid: CollectionUUID?
    /// Of a time series: those of its buckets, which the oplog speaks of.
    let buckets: ReplayCatalog.Collection?

    /// - Parameter name: `database.collection`, as the manifest tells it.
    init(_ name: String?, _ metadata: [UInt8]) throws(TidemarkError) {
        guard let namespace = name.flatMap({ Namespace($0) }) else {
            throw TidemarkError(
                .archiveDamaged, "the base backup has a file that names no collection",
                remedy: "restore from another base backup (`tidemark list`)")
        }
        let parsed = try ExtendedJSON.parse(metadata, "the metadata of \(namespace)")
        self.namespace = namespace
        type = parsed["type"]?.string ?? "collection"
        let whole = ReplayCatalog.Collection(stored: parsed)
        options = whole.options
        indexes = whole.indexes
        uuid = whole.uuid
        buckets = parsed["buckets"]?.document.map { ReplayCatalog.Collection(stored: $0) }
    }

    /// As the replay takes it up.
    var collection: ReplayCatalog.Collection {
        ReplayCatalog.Collection(uuid: uuid, options: options, indexes: indexes)
    }
}

extension ReplayCatalog.Collection {
    fileprivate init(stored: BSONDocument) {
        self.init(
            uuid: stored["uuid"]?.string.flatMap { CollectionUUID(hex: $0) },
            options: stored["options"]?.document ?? .empty,
            indexes: (stored["indexes"]?.elements ?? []).compactMap(\.document))
    }
}
