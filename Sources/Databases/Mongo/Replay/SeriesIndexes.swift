/// Where the indexes of a time series are made. The oplog has those of its buckets.
///
/// Most can be made there as they are (the server's jstests, timeseries_index.js). Where more than
/// the key has been translated the buckets keep what the client asked for as `originalSpec`: that
/// is asked of the series again, since some of what it was translated into (`2dsphere_bucket`,
/// conditions on `control`) only the server itself may use.
enum SeriesIndexes {
    static func placed(
        _ specifications: [BSONDocument], on namespace: Namespace
    ) -> [(Namespace, [BSONDocument])] {
        guard let series = NamespacePolicy.timeSeries(of: namespace) else {
            return [(namespace, specifications)]
        }
        let ofSeries = specifications.compactMap(asked)
        let others = specifications.filter { asked($0) == nil }
        return [(series, ofSeries), (namespace, others)].filter { !$0.1.isEmpty }
    }

    /// With what a `collMod` has changed since.
    private static func asked(_ index: BSONDocument) -> BSONDocument? {
        guard let original = index["originalSpec"]?.document else { return nil }
        return ["hidden", "expireAfterSeconds"].reduce(original) { asked, name in
            index[name].map { asked.setting(name, $0) } ?? asked.without([name])
        }
    }
}
