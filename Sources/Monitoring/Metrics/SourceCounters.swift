import Model
import Synchronization

/// What is counted of one source while the program runs; touched from several threads.
///
/// Counting costs an atomic addition, so that the stream thread may do it at every flush.
package final class SourceCounters: Sendable {
    /// The counters at one moment.
    package struct Values: Sendable, Hashable {
        package var receivedBytes: UInt64 = 0
        package var archivedBytes: UInt64 = 0
        package var segments: UInt64 = 0
        package var storedBytes: UInt64 = 0
        package var connects: UInt64 = 0
        package var failures: UInt64 = 0
        package var gaps: UInt64 = 0
        /// Flushes that took at most the bound of the same place in `flushBounds`, or longer than
        /// all, not cumulated.
        package var flushes: [UInt64] = Array(repeating: 0, count: flushBounds.count + 1)
        /// Seconds.
        package var flushSum = 0.0

        package init() {}
    }

    /// Upper bounds of the flush histogram, in seconds.
    package static let flushBounds = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
    ]

    private let received = Atomic<UInt64>(0)
    private let archived = Atomic<UInt64>(0)
    private let segments = Atomic<UInt64>(0)
    private let stored = Atomic<UInt64>(0)
    private let connects = Atomic<UInt64>(0)
    private let failures = Atomic<UInt64>(0)
    private let gaps = Atomic<UInt64>(0)
    private let flushes = FlushBuckets()
    private let flushNanoseconds = Atomic<UInt64>(0)

    package init() {}

    package func add(received bytes: UInt64, archived durable: UInt64) {
        received.wrappingAdd(bytes, ordering: .relaxed)
        archived.wrappingAdd(durable, ordering: .relaxed)
    }

    /// A segment got its final name.
    package func sealed(stored bytes: UInt64) {
        segments.wrappingAdd(1, ordering: .relaxed)
        stored.wrappingAdd(bytes, ordering: .relaxed)
    }

    package func connected() { connects.wrappingAdd(1, ordering: .relaxed) }
    package func failed() { failures.wrappingAdd(1, ordering: .relaxed) }
    package func foundGap() { gaps.wrappingAdd(1, ordering: .relaxed) }

    /// A flush took this long.
    package func flushed(seconds: Double) {
        let place = Self.flushBounds.firstIndex { seconds <= $0 } ?? Self.flushBounds.count
        flushes.add(place)
        flushNanoseconds.wrappingAdd(UInt64(max(0, seconds) * 1e9), ordering: .relaxed)
    }

    package var values: Values {
        var values = Values()
        values.receivedBytes = received.load(ordering: .relaxed)
        values.archivedBytes = archived.load(ordering: .relaxed)
        values.segments = segments.load(ordering: .relaxed)
        values.storedBytes = stored.load(ordering: .relaxed)
        values.connects = connects.load(ordering: .relaxed)
        values.failures = failures.load(ordering: .relaxed)
        values.gaps = gaps.load(ordering: .relaxed)
        values.flushes = flushes.values
        values.flushSum = Double(flushNanoseconds.load(ordering: .relaxed)) / 1e9
        return values
    }
}
