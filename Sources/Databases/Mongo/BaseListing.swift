import Model

/// The collections of a server with options and indexes. They are under no snapshot: when they are
/// the same before and after, they were so in between, or the oplog tells.
struct BaseListing: Hashable {
    struct Item: Hashable {
        let collection: DumpedCollection
        let metadata: BSONDocument
    }

    private(set) var items: [Item] = []

    init() {}

    init(_ connection: Connection, _ member: Connection.Member) throws(TidemarkError) {
        for collection in try DumpedCollection.all(connection, member) {
            items.append(
                Item(
                    collection: collection,
                    metadata: try collection.metadata(connection, member)))
        }
    }
}
