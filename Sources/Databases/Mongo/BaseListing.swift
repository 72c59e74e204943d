import Model

/// The collections of a server with options and indexes. They are under no snapshot: when they are
/// the same before and after, they were so in between, or the oplog tells.
struct BaseListing: Hashable {
    struct Item: Hashable {
        /// Whose documents are read.
        let collection: DumpedCollection
        /// By whose name it is told: another one where the collection is the buckets of a time
        /// series.
        let shown: DumpedCollection
        let metadata: BSONDocument
    }

    private(set) var items: [Item] = []

    init() {}

    init(_ connection: Connection, _ member: Connection.Member) throws(TidemarkError) {
        let all = try DumpedCollection.all(connection, member)
        let known = Dictionary(uniqueKeysWithValues: all.map { ($0.namespace, $0) })
        for collection in all {
            try Self.check(collection)
            // Told with its series. One without is being made, or is what is left of one.
            let series = NamespacePolicy.timeSeries(of: collection.namespace).flatMap { known[$0] }
            if series?.type == "timeseries" { continue }
            let isSeries = collection.type == "timeseries"
            let buckets = known[NamespacePolicy.buckets(of: collection.namespace)]
            items.append(
                Item(
                    collection: isSeries ? buckets ?? collection : collection, shown: collection,
                    metadata: try collection.metadata(
                        connection, member, buckets: isSeries ? buckets : nil)))
        }
    }

    /// What is shown of buckets is a view, which has no UUID.
    private static func check(_ collection: DumpedCollection) throws(TidemarkError) {
        guard collection.type == "timeseries", collection.uuid != nil else { return }
        throw TidemarkError(
            .sourceRefused,
            "\(collection.namespace) is a time series without a collection of its buckets, as "
                + "servers from 9.0 on store them, which this version cannot read",
            remedy: "keep the server's feature compatibility version below 9.0, or use a newer "
                + "tidemark")
    }
}
