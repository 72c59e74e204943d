package import Model

/// Where a replay writes: a live server, or whatever stands for one. Owned by one thread.
///
/// All calls can be made again after an interruption: what is there already is no error.
package protocol ReplayTarget: AnyObject {
    /// The documents of these `_id`s that exist, in any order.
    func documents(
        _ ids: [BSONValue], in namespace: Namespace
    ) throws(TidemarkError) -> [BSONDocument]
    /// Deletes, then puts; validators are bypassed. Returns what did not exist although it must.
    func write(_ batch: WriteBatch, to namespace: Namespace) throws(TidemarkError) -> Int
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
    /// Takes all documents away.
    func empty(_ namespace: Namespace) throws(TidemarkError)
    func createIndexes(
        _ specifications: [BSONDocument], on namespace: Namespace
    ) throws(TidemarkError)
    func createView(_ namespace: Namespace, _ options: BSONDocument) throws(TidemarkError)
    /// Everything up to this entry is in the target: an interrupted replay goes on behind it.
    func mark(_ position: OpTime) throws(TidemarkError)
}

/// Writes to one collection, of which no two concern the same document.
package struct WriteBatch: Sendable {
    package struct Put: Sendable {
        package var id: BSONValue
        package var document: BSONDocument
        /// An update: the document must have been there.
        package var mustExist: Bool
    }

    package struct Deletion: Sendable {
        package var id: BSONValue
        package var mustExist: Bool
    }

    package var deletions: [Deletion] = []
    package var puts: [Put] = []

    package var isEmpty: Bool { deletions.isEmpty && puts.isEmpty }
}
