/// What a write was made for and did not meet.
package struct MissedDocument: Hashable, Sendable, CustomStringConvertible {
    package var namespace: Namespace
    /// Nil where the target tells only that one is missing.
    package var id: BSONValue?

    package var description: String {
        namespace.description
            + (id.map { " " + BSONDocument([("_id", $0)]).text(limit: 100) } ?? "")
    }
}

extension ReplayReport {
    /// So many are named.
    private static let namedMisses = 5

    mutating func name(_ missed: [MissedDocument]) {
        for one in missed where firstMisses.count < Self.namedMisses && !firstMisses.contains(one) {
            firstMisses.append(one)
        }
    }
}

extension WriteWindow {
    /// The documents that are to be changed and are not among these.
    func absent(in namespace: Namespace, _ found: [BSONDocument]) -> [MissedDocument] {
        let known = Set(found.compactMap { $0["_id"].map(Self.key) })
        return wanted.filter { !known.contains(Self.key($0)) }
            .map { MissedDocument(namespace: namespace, id: $0) }
    }
}

extension PlacedBatch {
    /// Where a target that misses something in it misses it.
    var missable: MissedDocument? {
        let isOne =
            !batch.changes.isEmpty || batch.deletions.contains(where: \.mustExist)
            || batch.puts.contains(where: \.mustExist)
        guard isOne else { return nil }
        // The only write there is.
        let ids = batch.deletions.map(\.id) + batch.puts.map(\.id) + batch.changes.map(\.id)
        return MissedDocument(namespace: namespace, id: ids.count == 1 ? ids[0] : nil)
    }
}
