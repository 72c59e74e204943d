package import Model
package import Platform

/// Repeats calls that failed for a reason that may pass, a bounded number of times.
///
/// Only calls that may be made twice are repeated: `put` of the same bytes, reading, listing,
/// deleting. What is being written piece by piece is not; its owner starts it anew.
package final class RetryingStore: ObjectStore {
    private let base: any ObjectStore
    private let attempts: Int
    private let backoff: Backoff
    private let random: Monitor<any RandomNumberGenerator & Sendable>
    private let pause: @Sendable (Double) -> Bool

    /// - Parameters:
    ///   - attempts: how often a call is made at most, the first time included.
    ///   - pause: waits so many seconds; false ends the retries at once (the program stops).
    package init(
        _ base: any ObjectStore, attempts: Int = 5, backoff: Backoff = Backoff(),
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        pause: @escaping @Sendable (Double) -> Bool
    ) {
        precondition(attempts > 0, "a call is made at least once")
        self.base = base
        self.attempts = attempts
        self.backoff = backoff
        self.random = Monitor(random)
        self.pause = pause
    }

    private func retrying<Value>(
        _ body: () throws(TidemarkError) -> Value
    ) throws(TidemarkError) -> Value {
        var backoff = backoff
        for attempt in 1... {
            do throws(TidemarkError) {
                return try body()
            } catch {
                guard error.code.isRetryable, attempt < attempts else { throw error }
                let seconds = random.update { backoff.next(using: &$0) }
                if !pause(seconds) { throw error }
            }
        }
        preconditionFailure("an endless sequence ended")
    }

    package var url: String { base.url }

    package func size(_ key: ObjectKey) throws(TidemarkError) -> UInt64? {
        try retrying { () throws(TidemarkError) in try base.size(key) }
    }

    package func open(
        _ key: ObjectKey, at offset: UInt64
    ) throws(TidemarkError) -> any ObjectReader {
        try retrying { () throws(TidemarkError) in try base.open(key, at: offset) }
    }

    package func put(
        _ key: ObjectKey, _ bytes: [UInt8], _ mode: PutMode
    ) throws(TidemarkError) {
        try retrying { () throws(TidemarkError) in try base.put(key, bytes, mode) }
    }

    package func create(_ key: ObjectKey) throws(TidemarkError) -> any ObjectWriter {
        try retrying { () throws(TidemarkError) in try base.create(key) }
    }

    package func list(_ prefix: String) throws(TidemarkError) -> [ObjectInfo] {
        try retrying { () throws(TidemarkError) in try base.list(prefix) }
    }

    package func folders(_ prefix: String) throws(TidemarkError) -> [String] {
        try retrying { () throws(TidemarkError) in try base.folders(prefix) }
    }

    package func delete(_ key: ObjectKey) throws(TidemarkError) {
        try retrying { () throws(TidemarkError) in try base.delete(key) }
    }

    package func sweep(_ prefix: String, olderThan seconds: Double) throws(TidemarkError) {
        try retrying { () throws(TidemarkError) in try base.sweep(prefix, olderThan: seconds) }
    }

    /// That of the store below, not retried: its owner decides what is still true after an error.
    package var appending: (any AppendingStore)? { base.appending }
}
