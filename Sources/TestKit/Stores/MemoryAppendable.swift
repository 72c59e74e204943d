import Model
import Platform

/// A growing file of a `MemoryStore`.
final class MemoryAppendable: AppendableFile {
    private let key: ObjectKey
    private let store: MemoryStore
    private let generation: Int
    private var isOpen = true

    init(_ key: ObjectKey, _ store: MemoryStore, _ generation: Int) {
        self.key = key
        self.store = store
        self.generation = generation
    }

    deinit { close() }

    /// Runs `body` on the content; throws when the machine has stopped since the file was opened.
    private func working<Value>(
        _ body: (inout MemoryStore.Content) -> Value
    ) throws(TidemarkError) -> Value {
        precondition(isOpen, "\(key) is not used after it was closed")
        let value: Value? = store.state.update { state in
            guard state.generation == generation, var content = state.objects[key]
            else { return nil }
            state.objects[key] = nil
            defer { state.objects[key] = content }
            return body(&content)
        }
        guard let value else { throw MemoryStore.crashed(key) }
        return value
    }

    var size: UInt64 { store.state.read { UInt64($0.objects[key]?.live.count ?? 0) } }

    func read(at offset: UInt64, _ limit: Int) throws(TidemarkError) -> [UInt8] {
        try working { content in
            let start = Int(min(offset, UInt64(content.live.count)))
            return Array(content.live[start..<min(content.live.count, start + limit)])
        }
    }

    func write(at offset: UInt64, _ bytes: RawSpan) throws(TidemarkError) {
        let copy = bytes.withUnsafeBytes { Array($0) }
        try working { content in
            let start = Int(offset)
            let hole = start + copy.count - content.live.count
            if hole > 0 { content.live += [UInt8](repeating: 0, count: hole) }
            content.live.replaceSubrange(start..<start + copy.count, with: copy)
        }
    }

    func sync() throws(TidemarkError) { try working { $0.durable = $0.live } }

    func reserve(_ bytes: UInt64) {}

    func truncate(_ size: UInt64) throws(TidemarkError) {
        try working { content in
            let hole = Int(size) - content.live.count
            if hole > 0 {
                content.live += [UInt8](repeating: 0, count: hole)
            } else {
                content.live.removeLast(-hole)
            }
        }
    }

    func seal(as target: ObjectKey) throws(TidemarkError) {
        try sync()
        let key = key
        let isSealed = store.state.update { state in
            if let other = state.objects[target], other.live != state.objects[key]?.live {
                return false
            }
            state.objects[target] = state.objects[key]
            state.objects[key] = nil
            return true
        }
        guard isSealed else {
            throw TidemarkError(
                .contentConflict, "\(key) cannot become \(target): it exists and holds other bytes")
        }
        close()
    }

    func discard() throws(TidemarkError) {
        try working { _ in }
        store.state.update { $0.objects[key] = nil }
        close()
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        store.state.update { state in
            if state.generation == generation { state.open.remove(key) }
        }
    }
}
