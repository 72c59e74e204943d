import Model

/// A store in which one object is removed as soon as it has been listed.
final class VanishingStore: ObjectStore {
    private let base: any ObjectStore
    private let victim: ObjectKey

    init(_ base: any ObjectStore, _ victim: ObjectKey) {
        self.base = base
        self.victim = victim
    }

    var url: String { base.url }
    var appending: (any AppendingStore)? { base.appending }

    func list(_ prefix: String) throws(TidemarkError) -> [ObjectInfo] {
        let found = try base.list(prefix)
        if prefix.contains("/wal/") { try base.delete(victim) }
        return found
    }

    func size(_ key: ObjectKey) throws(TidemarkError) -> UInt64? { try base.size(key) }
    func open(_ key: ObjectKey, at offset: UInt64) throws(TidemarkError) -> any ObjectReader {
        try base.open(key, at: offset)
    }
    func put(_ key: ObjectKey, _ bytes: [UInt8], _ mode: PutMode) throws(TidemarkError) {
        try base.put(key, bytes, mode)
    }
    func create(_ key: ObjectKey) throws(TidemarkError) -> any ObjectWriter {
        try base.create(key)
    }
    func delete(_ key: ObjectKey) throws(TidemarkError) { try base.delete(key) }
    func sweep(_ prefix: String, olderThan seconds: Double) throws(TidemarkError) {
        try base.sweep(prefix, olderThan: seconds)
    }
}
