package import Model
package import Platform

/// Counts and times the calls of the store below, for monitoring.
package final class MeteredStore: ObjectStore {
    private let base: any ObjectStore
    private let time: any TimeSource
    private let sums = Monitor(StoreMetrics())

    package init(_ base: any ObjectStore, time: any TimeSource = SystemTimeSource()) {
        self.base = base
        self.time = time
    }

    /// The figures so far.
    package var metrics: StoreMetrics { sums.read { $0 } }

    /// Runs a call and adds it to the figures; `bytes` tells its size from its result.
    func measure<Value>(
        _ call: StoreMetrics.Call, bytes: (Value) -> Int = { _ in 0 },
        _ body: () throws(TidemarkError) -> Value
    ) throws(TidemarkError) -> Value {
        let start = time.monotonic()
        do throws(TidemarkError) {
            let value = try body()
            note(call, since: start, bytes: bytes(value), failed: false)
            return value
        } catch {
            note(call, since: start, bytes: 0, failed: error.code != .notFound)
            throw error
        }
    }

    private func note(
        _ call: StoreMetrics.Call, since start: MonotonicTime, bytes: Int, failed: Bool
    ) {
        let seconds = time.monotonic().seconds(since: start)
        sums.update { $0.add(call, bytes: UInt64(bytes), seconds: seconds, failed: failed) }
    }

    package var url: String { base.url }

    package func size(_ key: ObjectKey) throws(TidemarkError) -> UInt64? {
        try measure(.inspect) { () throws(TidemarkError) in try base.size(key) }
    }

    package func open(
        _ key: ObjectKey, at offset: UInt64
    ) throws(TidemarkError) -> any ObjectReader {
        try measure(.inspect) { () throws(TidemarkError) in
            MeteredReader(try base.open(key, at: offset), self)
        }
    }

    package func put(
        _ key: ObjectKey, _ bytes: [UInt8], _ mode: PutMode
    ) throws(TidemarkError) {
        try measure(.put, bytes: { bytes.count }) { () throws(TidemarkError) in
            try base.put(key, bytes, mode)
        }
    }

    package func create(_ key: ObjectKey) throws(TidemarkError) -> any ObjectWriter {
        MeteredWriter(try base.create(key), self)
    }

    package func list(_ prefix: String) throws(TidemarkError) -> [ObjectInfo] {
        try measure(.list) { () throws(TidemarkError) in try base.list(prefix) }
    }

    package func folders(_ prefix: String) throws(TidemarkError) -> [String] {
        try measure(.list) { () throws(TidemarkError) in try base.folders(prefix) }
    }

    package func delete(_ key: ObjectKey) throws(TidemarkError) {
        try measure(.delete) { () throws(TidemarkError) in try base.delete(key) }
    }

    package func sweep(_ prefix: String, olderThan seconds: Double) throws(TidemarkError) {
        try measure(.list) { () throws(TidemarkError) in
            try base.sweep(prefix, olderThan: seconds)
        }
    }

    package var appending: (any AppendingStore)? {
        base.appending.map { MeteredAppending($0, self) }
    }
}
