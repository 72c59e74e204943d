import Synchronization

/// The buckets of the flush histogram; an array cannot hold atomics.
final class FlushBuckets: Sendable {
    private final class Bucket: Sendable { let count = Atomic<UInt64>(0) }

    private let buckets = (0...SourceCounters.flushBounds.count).map { _ in Bucket() }

    func add(_ place: Int) { buckets[place].count.wrappingAdd(1, ordering: .relaxed) }

    var values: [UInt64] { buckets.map { $0.count.load(ordering: .relaxed) } }
}
