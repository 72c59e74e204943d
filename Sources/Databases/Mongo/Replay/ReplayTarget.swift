package import Model

/// Where a replay writes: a live server, or whatever stands for one. Owned by one thread.
///
/// All calls can be made again after an interruption: what is there already is no error.
package protocol ReplayTarget: AnyObject {
    /// Whether `WriteBatch.changes` may be given, of collections without options.
    var takesDirectUpdates: Bool { get }
    /// The documents of these `_id`s that exist, in any order.
    func documents(
        _ ids: [BSONValue], in namespace: Namespace
    ) throws(TidemarkError) -> [BSONDocument]
    /// Deletes, then puts; validators are bypassed. Returns what did not exist although it must.
    func write(_ batch: WriteBatch, to namespace: Namespace) throws(TidemarkError) -> Int
    /// The same of several collections, at once where the target can.
    func documents(
        _ questions: [Namespace: [BSONValue]]
    ) throws(TidemarkError) -> [Namespace: [BSONDocument]]
    /// What is begun from here on may be of entries up to this one: so far ahead of its mark an
    /// interrupted replay may find the target. Kept before anything is begun.
    func announce(_ ahead: OpTime) throws(TidemarkError)
    /// The same of several collections, at once where the target can; it may go on when this has
    /// returned. Nothing else is asked of the target before `awaitWrites`.
    func begin(_ batches: [PlacedBatch]) throws(TidemarkError)
    /// Whether it soon has nothing to write.
    var wantsMore: Bool { get }
    /// Waits until what was begun is written. Returns what of it did not exist although it must.
    func awaitWrites() throws(TidemarkError) -> Int
    /// Inserts behind the others, in order; for capped collections.
    func append(_ documents: [BSONDocument], to namespace: Namespace) throws(TidemarkError)
    /// A collection without indexes but that of `_id`; `options` as in the command `create`.
    func create(_ namespace: Namespace, _ options: BSONDocument) throws(TidemarkError)
    func drop(_ namespace: Namespace) throws(TidemarkError)
    func dropDatabase(_ name: String) throws(TidemarkError)
    func rename(
        _ from: Namespace, to: Namespace, dropsTarget: Bool
    ) throws(TidemarkError)
    /// `change` as in the command `collMod`, without what it says of indexes.
    func modify(_ namespace: Namespace, _ change: BSONDocument) throws(TidemarkError)
    func convertToCapped(_ namespace: Namespace, size: Int64) throws(TidemarkError)
    func createIndexes(
        _ specifications: [BSONDocument], on namespace: Namespace
    ) throws(TidemarkError)
    func createView(_ namespace: Namespace, _ options: BSONDocument) throws(TidemarkError)
    /// Everything up to this entry is in the target: an interrupted replay goes on behind it.
    func mark(_ report: ReplayReport) throws(TidemarkError)
}

extension ReplayTarget {
    package func documents(
        _ questions: [Namespace: [BSONValue]]
    ) throws(TidemarkError) -> [Namespace: [BSONDocument]] {
        var found: [Namespace: [BSONDocument]] = [:]
        for (namespace, ids) in questions where !ids.isEmpty {
            found[namespace] = try documents(ids, in: namespace)
        }
        return found
    }
}

/// Writes and where they belong.
package struct PlacedBatch: Sendable {
    package var namespace: Namespace
    package var batch: WriteBatch
    /// A capped collection: its documents lie in the order in which they came.
    package var keepsOrder: Bool
}

/// Writes to one collection, of which no two concern the same document.
package struct WriteBatch: Sendable {
    package struct Put: Sendable {
        package var id: BSONValue
        package var document: BSONDocument
        /// An update: the document must have been there.
        package var mustExist: Bool
        /// Inserted, as far as the oplog tells: the target has none of this `_id`, or is ahead.
        package var isNew: Bool
    }

    package struct Deletion: Sendable {
        package var id: BSONValue
        package var mustExist: Bool
    }

    /// Of a document that must be there.
    package struct Change: Sendable {
        package var id: BSONValue
        package var update: DirectUpdate
    }

    package var deletions: [Deletion] = []
    package var puts: [Put] = []
    package var changes: [Change] = []

    package var count: Int { deletions.count + puts.count + changes.count }
    var isOnlyNew: Bool { puts.count == count && puts.allSatisfy(\.isNew) }
}
