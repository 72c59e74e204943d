import Model

/// Reads outside of transactions as of one moment (`readConcern: snapshot` with `atClusterTime`).
enum SnapshotRead {
    /// Wire versions of 5.0, which has them, and of 8.0, which has them on capped collections.
    private static let first: Int64 = 13
    private static let firstOnCapped: Int64 = 25

    static func isPossible(_ hello: Hello) -> Bool { hello.maxWireVersion >= first }

    static func isPossible(_ collection: DumpedCollection, _ wireVersion: Int64) -> Bool {
        collection.options["capped"]?.isTrue != true || wireVersion >= firstOnCapped
    }

    static func concern(_ moment: OpTime) -> BSONDocument {
        BSONDocument([("level", .string("snapshot")), ("atClusterTime", .timestamp(moment))])
    }
}
