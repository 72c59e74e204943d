/// Waiting times between retries: exponential, bounded, with full jitter over the upper half.
///
/// Attempt n waits between half and all of `min(limit, first * 2^n)` seconds.
package struct Backoff: Sendable {
    private let first: Double
    private let limit: Double
    private var attempt = 0

    /// - Parameters: seconds; `first` must be positive and at most `limit`.
    package init(first: Double = 0.2, limit: Double = 15) {
        precondition(first > 0 && first <= limit, "a backoff starts positive and below its limit")
        self.first = first
        self.limit = limit
    }

    /// The next waiting time in seconds.
    package mutating func next(using random: inout some RandomNumberGenerator) -> Double {
        let ceiling = min(limit, first * Double(UInt64(1) << UInt64(min(attempt, 30))))
        attempt += 1
        return ceiling * Double.random(in: 0.5...1, using: &random)
    }

    /// After a success the next failure waits `first` again.
    package mutating func reset() { attempt = 0 }
}
