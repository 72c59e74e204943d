import Model

/// Counts what is read.
final class MeteredReader: ObjectReader {
    private let base: any ObjectReader
    private let store: MeteredStore

    init(_ base: any ObjectReader, _ store: MeteredStore) {
        self.base = base
        self.store = store
    }

    var size: UInt64 { base.size }

    func read(_ limit: Int) throws(TidemarkError) -> [UInt8] {
        try store.measure(.read, bytes: { $0.count }) { () throws(TidemarkError) in
            try base.read(limit)
        }
    }

    func close() { base.close() }
}

/// Counts what is written.
final class MeteredWriter: ObjectWriter {
    private let base: any ObjectWriter
    private let store: MeteredStore

    init(_ base: any ObjectWriter, _ store: MeteredStore) {
        self.base = base
        self.store = store
    }

    func write(_ bytes: [UInt8]) throws(TidemarkError) {
        try store.measure(.write, bytes: { bytes.count }) { () throws(TidemarkError) in
            try base.write(bytes)
        }
    }

    func finish() throws(TidemarkError) {
        try store.measure(.write) { () throws(TidemarkError) in try base.finish() }
    }

    func abort() { base.abort() }
}

/// Counts what is done to open segments.
final class MeteredAppending: AppendingStore {
    private let base: any AppendingStore
    private let store: MeteredStore

    init(_ base: any AppendingStore, _ store: MeteredStore) {
        self.base = base
        self.store = store
    }

    func openAppendable(_ key: ObjectKey) throws(TidemarkError) -> any AppendableFile {
        try store.measure(.inspect) { () throws(TidemarkError) in
            MeteredAppendable(try base.openAppendable(key), store)
        }
    }
}

/// Counts what is done to one open segment.
final class MeteredAppendable: AppendableFile {
    private let base: any AppendableFile
    private let store: MeteredStore

    init(_ base: any AppendableFile, _ store: MeteredStore) {
        self.base = base
        self.store = store
    }

    var size: UInt64 { base.size }

    func read(at offset: UInt64, _ limit: Int) throws(TidemarkError) -> [UInt8] {
        try store.measure(.read, bytes: { $0.count }) { () throws(TidemarkError) in
            try base.read(at: offset, limit)
        }
    }

    func write(at offset: UInt64, _ bytes: RawSpan) throws(TidemarkError) {
        let count = bytes.byteCount
        try store.measure(.append, bytes: { count }) { () throws(TidemarkError) in
            try base.write(at: offset, bytes)
        }
    }

    func sync() throws(TidemarkError) {
        try store.measure(.sync) { () throws(TidemarkError) in try base.sync() }
    }

    func reserve(_ bytes: UInt64) { base.reserve(bytes) }

    func truncate(_ size: UInt64) throws(TidemarkError) { try base.truncate(size) }

    func seal(as key: ObjectKey) throws(TidemarkError) {
        try store.measure(.seal) { () throws(TidemarkError) in try base.seal(as: key) }
    }

    func discard() throws(TidemarkError) { try base.discard() }

    func close() { base.close() }
}
