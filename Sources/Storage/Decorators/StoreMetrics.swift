/// What the calls of a store have cost so far; only ever grows.
package struct StoreMetrics: Hashable, Sendable {
    /// The kinds of calls that are told apart. `append` and `sync` are those of the open segment.
    package enum Call: String, Hashable, Sendable, CaseIterable {
        case inspect, read, put, write, list, delete, append, sync, seal
    }

    /// The figures of one kind of call.
    package struct Figures: Hashable, Sendable {
        package var count: UInt64 = 0
        /// How many of them failed; `notFound` is an answer, not a failure.
        package var failures: UInt64 = 0
        /// Bytes read or written by those that succeeded.
        package var bytes: UInt64 = 0
        /// Time spent in all of them, and in the longest.
        package var seconds: Double = 0
        package var longestSeconds: Double = 0
    }

    package private(set) var figures: [Call: Figures] = [:]

    /// Zeros when there was no such call.
    package subscript(call: Call) -> Figures { figures[call] ?? Figures() }

    mutating func add(_ call: Call, bytes: UInt64, seconds: Double, failed: Bool) {
        var sum = self[call]
        sum.count += 1
        sum.failures += failed ? 1 : 0
        sum.bytes += bytes
        sum.seconds += seconds
        sum.longestSeconds = max(sum.longestSeconds, seconds)
        figures[call] = sum
    }
}
