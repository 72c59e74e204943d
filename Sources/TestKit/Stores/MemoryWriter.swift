import Model
import Platform

/// Collects a large object until it is finished.
final class MemoryWriter: ObjectWriter {
    private let key: ObjectKey
    private let store: MemoryStore
    private let generation: Int
    private var bytes: [UInt8]? = []

    init(_ key: ObjectKey, _ store: MemoryStore) {
        self.key = key
        self.store = store
        generation = store.state.read { $0.generation }
    }

    func write(_ bytes: [UInt8]) throws(TidemarkError) {
        precondition(self.bytes != nil, "an object is not written after it was finished or aborted")
        self.bytes! += bytes
    }

    func finish() throws(TidemarkError) {
        guard let bytes else { preconditionFailure("an object is not finished twice") }
        let isAlive = store.state.update { state in
            guard state.generation == generation else { return false }
            state.objects[key] = MemoryStore.Content(bytes)
            return true
        }
        self.bytes = nil
        if !isAlive { throw MemoryStore.crashed(key) }
    }

    func abort() { bytes = nil }
}

extension MemoryStore {
    /// What a handle from before a crash answers.
    static func crashed(_ key: ObjectKey) -> TidemarkError {
        TidemarkError(.failed, "\(key) was open when the machine stopped")
    }
}
