import Model

/// A store without the appending capability, as an object store is.
final class PlainStore: ObjectStore {
    private let base: any ObjectStore

    init(_ base: any ObjectStore) { self.base = base }

    var url: String { base.url }
    var appending: (any AppendingStore)? { nil }

    func list(_ prefix: String) throws(TidemarkError) -> [ObjectInfo] { try base.list(prefix) }
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
