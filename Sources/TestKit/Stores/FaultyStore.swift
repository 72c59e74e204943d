package import Model
import Platform

/// A store that fails when it is told to, around one that works.
///
/// Faults are queued per call and used up in order; without faults it is the store below.
package final class FaultyStore: ObjectStore {
    /// The calls that can fail, those of readers, writers and appendable files included.
    package enum Call: String, Hashable, Sendable, CaseIterable {
        case size, open, put, create, list, delete, sweep, openAppendable
        case read, write, finish
        case append, sync, truncate, seal, discard, readBack
    }

    /// What happens instead of the call.
    package enum Fault: Sendable {
        /// It fails and nothing has happened.
        case error(TidemarkError)
        /// It is done, but the answer is lost: the caller sees the error.
        case lateError(TidemarkError)
        /// Of `write` and `append`: only so many bytes are stored, then the error.
        case torn(Int, TidemarkError)
        /// It does not return before `release`, then it is done.
        case hang
    }

    private struct State: Sendable {
        var queues: [Call: [Fault?]] = [:]
        var counts: [Call: Int] = [:]
        var hanging = 0
        var releases = 0
    }

    package let base: any ObjectStore
    private let state = Monitor(State())

    package init(_ base: any ObjectStore) { self.base = base }

    // MARK: orders

    /// The next `times` calls of this kind have the fault, after `skipped` more have gone well.
    package func fail(_ call: Call, _ fault: Fault, times: Int = 1, skipping skipped: Int = 0) {
        state.update {
            let good = [Fault?](repeating: nil, count: skipped)
            $0.queues[call, default: []] += good + [Fault?](repeating: fault, count: times)
        }
    }

    /// The next `times` calls of this kind fail with this error.
    package func fail(_ call: Call, _ error: TidemarkError, times: Int = 1) {
        fail(call, .error(error), times: times)
    }

    /// Drops every fault that has not happened, and lets hanging calls go on.
    package func heal() {
        state.update { $0.queues = [:] }
        release()
    }

    /// Lets everything that hangs now go on.
    package func release() { state.update { $0.releases += 1 } }

    /// Waits until `count` calls hang; false when that takes longer than `seconds`.
    package func waitUntilHanging(_ count: Int = 1, seconds: Double = 30) -> Bool {
        state.wait(seconds: seconds) { $0.hanging >= count ? true : nil } ?? false
    }

    /// How often a call was made so far, well or badly.
    package func count(_ call: Call) -> Int { state.read { $0.counts[call] ?? 0 } }

    // MARK: performing

    /// Runs a call with its next fault. `torn` stores the given number of bytes.
    func perform<Value>(
        _ call: Call, torn: (Int) throws(TidemarkError) -> Void = { _ in },
        _ body: () throws(TidemarkError) -> Value
    ) throws(TidemarkError) -> Value {
        switch next(call) {
        case nil: return try body()
        case .error(let error): throw error
        case .lateError(let error):
            _ = try body()
            throw error
        case .torn(let count, let error):
            try torn(count)
            throw error
        case .hang:
            hang()
            return try body()
        }
    }

    private func next(_ call: Call) -> Fault? {
        state.update { state in
            state.counts[call, default: 0] += 1
            guard var queue = state.queues[call], !queue.isEmpty else { return nil }
            let fault = queue.removeFirst()
            state.queues[call] = queue
            return fault
        }
    }

    private func hang() {
        let ticket = state.update { state in
            state.hanging += 1
            return state.releases
        }
        let _: Bool? = state.wait { $0.releases > ticket ? true : nil }
        state.update { $0.hanging -= 1 }
    }
}

extension FaultyStore {
    package var url: String { base.url }

    package func size(_ key: ObjectKey) throws(TidemarkError) -> UInt64? {
        try perform(.size) { () throws(TidemarkError) in try base.size(key) }
    }

    package func open(
        _ key: ObjectKey, at offset: UInt64
    ) throws(TidemarkError) -> any ObjectReader {
        try perform(.open) { () throws(TidemarkError) in
            FaultyReader(try base.open(key, at: offset), self)
        }
    }

    package func put(
        _ key: ObjectKey, _ bytes: [UInt8], _ mode: PutMode
    ) throws(TidemarkError) {
        // No store tears a put: that is its promise. So `torn` stores nothing here.
        try perform(.put) { () throws(TidemarkError) in try base.put(key, bytes, mode) }
    }

    package func create(_ key: ObjectKey) throws(TidemarkError) -> any ObjectWriter {
        try perform(.create) { () throws(TidemarkError) in FaultyWriter(try base.create(key), self)
        }
    }

    package func list(_ prefix: String) throws(TidemarkError) -> [ObjectInfo] {
        try perform(.list) { () throws(TidemarkError) in try base.list(prefix) }
    }

    package func folders(_ prefix: String) throws(TidemarkError) -> [String] {
        try perform(.list) { () throws(TidemarkError) in try base.folders(prefix) }
    }

    package func delete(_ key: ObjectKey) throws(TidemarkError) {
        try perform(.delete) { () throws(TidemarkError) in try base.delete(key) }
    }

    package func sweep(_ prefix: String, olderThan seconds: Double) throws(TidemarkError) {
        try perform(.sweep) { () throws(TidemarkError) in
            try base.sweep(prefix, olderThan: seconds)
        }
    }

    /// Appends where the store below can.
    package var appending: (any AppendingStore)? {
        base.appending.map { FaultyAppending($0, self) }
    }
}
