package import Model
import Platform

/// A repository in memory that knows what would be lost in a power failure.
///
/// Durable at once: what `put`, `finish`, `seal`, `delete` and `discard` did, and the existence of
/// an appendable file. Durable only after `sync`: what was written to an appendable file. `crash`
/// drops the rest, as a disk would: whole sectors, not in order.
package final class MemoryStore: ObjectStore, AppendingStore {
    struct Content: Sendable {
        var live: [UInt8]
        var durable: [UInt8]

        init(_ bytes: [UInt8]) {
            live = bytes
            durable = bytes
        }
    }

    struct State: Sendable {
        var objects: [ObjectKey: Content] = [:]
        var open: Set<ObjectKey> = []
        /// Counts crashes; handles from before one are dead.
        var generation = 0
    }

    package let url: String
    let state = Monitor(State())

    package init(url: String = "memory:") { self.url = url }

    package var appending: (any AppendingStore)? { self }

    // MARK: the store

    package func size(_ key: ObjectKey) throws(TidemarkError) -> UInt64? {
        state.read { $0.objects[key].map { UInt64($0.live.count) } }
    }

    package func open(
        _ key: ObjectKey, at offset: UInt64
    ) throws(TidemarkError) -> any ObjectReader {
        guard let bytes = bytes(key) else {
            throw TidemarkError(.notFound, "\(key) does not exist in \(url)")
        }
        return MemoryReader(bytes, at: offset)
    }

    package func put(
        _ key: ObjectKey, _ bytes: [UInt8], _ mode: PutMode
    ) throws(TidemarkError) {
        let conflict = state.update { state in
            if case .create = mode, let old = state.objects[key] { return old.live != bytes }
            state.objects[key] = Content(bytes)
            return false
        }
        if conflict {
            throw TidemarkError(.contentConflict, "\(key) already holds other bytes")
        }
    }

    package func create(_ key: ObjectKey) throws(TidemarkError) -> any ObjectWriter {
        MemoryWriter(key, self)
    }

    package func list(_ prefix: String) throws(TidemarkError) -> [ObjectInfo] {
        state.read { state in
            state.objects.filter { $0.key.path.hasPrefix(prefix) }
                .map { ObjectInfo(key: $0.key, size: UInt64($0.value.live.count)) }
                .sorted { $0.key < $1.key }
        }
    }

    package func delete(_ key: ObjectKey) throws(TidemarkError) {
        state.update { $0.objects[key] = nil }
    }

    package func sweep(_ prefix: String, olderThan seconds: Double) throws(TidemarkError) {
        // What is not finished is nowhere.
    }

    package func openAppendable(_ key: ObjectKey) throws(TidemarkError) -> any AppendableFile {
        let generation: Int? = state.update { state in
            guard state.open.insert(key).inserted else { return nil }
            if state.objects[key] == nil { state.objects[key] = Content([]) }
            return state.generation
        }
        guard let generation else {
            throw TidemarkError(
                .failed, "\(key) is being written by another tidemark", remedy: "stop the other")
        }
        return MemoryAppendable(key, self, generation)
    }

    // MARK: for tests

    /// The bytes of an object; nil when it does not exist.
    package func bytes(_ key: ObjectKey) -> [UInt8]? { state.read { $0.objects[key]?.live } }

    /// All keys, ascending.
    package var keys: [ObjectKey] { state.read { $0.objects.keys.sorted() } }

    /// Changes an object behind everybody's back: bit rot, truncation, an operator's editor.
    package func corrupt(_ key: ObjectKey, _ change: (inout [UInt8]) -> Void) {
        state.update { state in
            guard var bytes = state.objects[key]?.live else {
                preconditionFailure("\(key) does not exist, so it cannot be damaged")
            }
            change(&bytes)
            state.objects[key] = Content(bytes)
        }
    }
}
