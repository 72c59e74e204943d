import Model
import Platform

/// temporary in-memory store
final class ShelfStore: ObjectStore, AppendingStore {
    struct State { var objects: [String: [UInt8]] = [:]; var locked: Set<String> = [] }
    let state = Monitor(State())
    let canAppend: Bool
    let failWriteAfter: Monitor<Int?> = Monitor(nil)
    init(canAppend: Bool = true) { self.canAppend = canAppend }
    var url: String { "memory://shelf" }
    func size(_ key: ObjectKey) throws(TidemarkError) -> UInt64? {
        state.read { $0.objects[key.path].map { UInt64($0.count) } }
    }
    func open(_ key: ObjectKey, at offset: UInt64) throws(TidemarkError) -> any ObjectReader {
        guard let bytes = state.read({ $0.objects[key.path] }) else {
            throw TidemarkError(.notFound, "no \(key)")
        }
        return Reader(bytes, Int(offset))
    }
    func put(_ key: ObjectKey, _ bytes: [UInt8], _ mode: PutMode) throws(TidemarkError) {
        let conflict = state.update { s in
            if case .create = mode, let old = s.objects[key.path] { return old != bytes }
            s.objects[key.path] = bytes
            return false
        }
        if conflict { throw TidemarkError(.contentConflict, "\(key) exists") }
    }
    func create(_ key: ObjectKey) throws(TidemarkError) -> any ObjectWriter { Writer(self, key) }
    func list(_ prefix: String) throws(TidemarkError) -> [ObjectInfo] {
        state.read { s in
            s.objects.filter { $0.key.hasPrefix(prefix) }.sorted { $0.key < $1.key }
                .map { ObjectInfo(key: ObjectKey($0.key), size: UInt64($0.value.count)) }
        }
    }
    func delete(_ key: ObjectKey) throws(TidemarkError) {
        state.update { $0.objects[key.path] = nil }
    }
    func sweep(_ prefix: String, olderThan seconds: Double) throws(TidemarkError) {}
    var appending: (any AppendingStore)? { canAppend ? self : nil }
    func openAppendable(_ key: ObjectKey) throws(TidemarkError) -> any AppendableFile {
        let ok = state.update { s in
            if !s.locked.insert(key.path).inserted { return false }
            if s.objects[key.path] == nil { s.objects[key.path] = [] }
            return true
        }
        if !ok { throw TidemarkError(.failed, "\(key) is in use") }
        return Appendable(self, key)
    }
    final class Reader: ObjectReader {
        let bytes: [UInt8]
        var at: Int
        init(_ bytes: [UInt8], _ at: Int) { self.bytes = bytes; self.at = at }
        var size: UInt64 { UInt64(bytes.count) }
        func read(_ limit: Int) throws(TidemarkError) -> [UInt8] {
            let part = Array(bytes[at..<min(bytes.count, at + limit)])
            at += part.count
            return part
        }
        func close() {}
    }
    final class Writer: ObjectWriter {
        let store: ShelfStore
        let key: ObjectKey
        var bytes: [UInt8] = []
        init(_ store: ShelfStore, _ key: ObjectKey) { self.store = store; self.key = key }
        func write(_ piece: [UInt8]) throws(TidemarkError) {
            let full = store.failWriteAfter.update { left in
                if let n = left { left = n - 1; return n <= 0 }
                return false
            }
            if full { throw TidemarkError(.repositoryFull, "no space left at \(store.url)") }
            bytes += piece
        }
        func finish() throws(TidemarkError) { store.state.update { $0.objects[key.path] = bytes } }
        func abort() {}
    }
    final class Appendable: AppendableFile {
        let store: ShelfStore
        let key: ObjectKey
        init(_ store: ShelfStore, _ key: ObjectKey) { self.store = store; self.key = key }
        var size: UInt64 { store.state.read { UInt64($0.objects[key.path]?.count ?? 0) } }
        func read(at offset: UInt64, _ limit: Int) throws(TidemarkError) -> [UInt8] { [] }
        func write(at offset: UInt64, _ bytes: RawSpan) throws(TidemarkError) {
            let new = bytes.withUnsafeBytes { [UInt8]($0) }
            store.state.update { s in
                var old = s.objects[key.path] ?? []
                old.replaceSubrange(Int(offset)..<old.count, with: new)
                s.objects[key.path] = old
            }
        }
        func sync() throws(TidemarkError) {}
        func reserve(_ bytes: UInt64) {}
        func truncate(_ size: UInt64) throws(TidemarkError) {
            store.state.update { s in
                s.objects[key.path] = Array(s.objects[key.path]?.prefix(Int(size)) ?? [])
            }
        }
        func seal(as key: ObjectKey) throws(TidemarkError) {}
        func discard() throws(TidemarkError) {
            store.state.update { $0.objects[key.path] = nil; $0.locked.remove(key.path) }
        }
        func close() { store.state.update { _ = $0.locked.remove(key.path) } }
    }
}
