import Model

/// What a base backup says of a collection beside its documents.
struct StoredCollection: Sendable {
    let namespace: Namespace
    let type: String
    let options: BSONDocument
    let indexes: [BSONDocument]
    let uuid: CollectionUUID?

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
        options = parsed["options"]?.document ?? .empty
        indexes = (parsed["indexes"]?.elements ?? []).compactMap(\.document)
        uuid = parsed["uuid"]?.string.flatMap { CollectionUUID(hex: $0) }
    }

    /// As the replay takes it up.
    var collection: ReplayCatalog.Collection {
        ReplayCatalog.Collection(uuid: uuid, options: options, indexes: indexes)
    }
}
