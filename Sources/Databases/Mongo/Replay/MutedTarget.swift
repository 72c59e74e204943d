import Model

/// Stands for a live target while entries pass by that it has already: nothing is written, save
/// what the target holds in memory until the end.
final class MutedTarget: ReplayTarget {
    private let live: any ReplayTarget

    init(_ live: any ReplayTarget) { self.live = live }

    var takesDirectUpdates: Bool { false }

    private static func isHeld(_ namespace: Namespace) -> Bool {
        NamespacePolicy.verdict(namespace) == .users
    }

    func documents(
        _ ids: [BSONValue], in namespace: Namespace
    ) throws(TidemarkError) -> [BSONDocument] {
        Self.isHeld(namespace) ? try live.documents(ids, in: namespace) : []
    }

    func write(_ batch: WriteBatch, to namespace: Namespace) throws(TidemarkError) -> Int {
        Self.isHeld(namespace) ? try live.write(batch, to: namespace) : 0
    }

    func announce(_ ahead: OpTime) {}

    /// Users are no work: nothing of it is left to wait for.
    func begin(_ batches: [PlacedBatch]) throws(TidemarkError) {
        for placed in batches { _ = try write(placed.batch, to: placed.namespace) }
    }

    var wantsMore: Bool { true }

    func awaitWrites() -> Int { 0 }

    func append(_ documents: [BSONDocument], to namespace: Namespace) throws(TidemarkError) {
        if Self.isHeld(namespace) { try live.append(documents, to: namespace) }
    }

    func create(_ namespace: Namespace, _ options: BSONDocument) throws(TidemarkError) {
        if Self.isHeld(namespace) { try live.create(namespace, options) }
    }

    func drop(_ namespace: Namespace) throws(TidemarkError) {
        if Self.isHeld(namespace) { try live.drop(namespace) }
    }

    func dropDatabase(_ name: String) {}
    func rename(_ from: Namespace, to: Namespace, dropsTarget: Bool) {}
    func modify(_ namespace: Namespace, _ change: BSONDocument) {}
    func convertToCapped(_ namespace: Namespace, size: Int64) {}
    func createIndexes(_ specifications: [BSONDocument], on namespace: Namespace) {}
    func createView(_ namespace: Namespace, _ options: BSONDocument) {}
    func mark(_ report: ReplayReport) {}
}
