import Model

/// A reader that fails when its store was told so.
final class FaultyReader: ObjectReader {
    private let base: any ObjectReader
    private let store: FaultyStore

    init(_ base: any ObjectReader, _ store: FaultyStore) {
        self.base = base
        self.store = store
    }

    var size: UInt64 { base.size }

    func read(_ limit: Int) throws(TidemarkError) -> [UInt8] {
        try store.perform(.read) { () throws(TidemarkError) in try base.read(limit) }
    }

    func close() { base.close() }
}

/// A writer that fails when its store was told so.
final class FaultyWriter: ObjectWriter {
    private let base: any ObjectWriter
    private let store: FaultyStore

    init(_ base: any ObjectWriter, _ store: FaultyStore) {
        self.base = base
        self.store = store
    }

    func write(_ bytes: [UInt8]) throws(TidemarkError) {
        try store.perform(
            .write,
            torn: { (count) throws(TidemarkError) in try base.write(Array(bytes.prefix(count))) }
        ) { () throws(TidemarkError) in try base.write(bytes) }
    }

    func finish() throws(TidemarkError) {
        try store.perform(.finish) { () throws(TidemarkError) in try base.finish() }
    }

    func abort() { base.abort() }
}

/// The appending side of a store that fails when told so.
final class FaultyAppending: AppendingStore {
    private let base: any AppendingStore
    private let store: FaultyStore

    init(_ base: any AppendingStore, _ store: FaultyStore) {
        self.base = base
        self.store = store
    }

    func openAppendable(_ key: ObjectKey) throws(TidemarkError) -> any AppendableFile {
        try store.perform(.openAppendable) { () throws(TidemarkError) in
            FaultyAppendable(try base.openAppendable(key), store)
        }
    }
}

/// A growing file that fails when its store was told so.
final class FaultyAppendable: AppendableFile {
    private let base: any AppendableFile
    private let store: FaultyStore

    init(_ base: any AppendableFile, _ store: FaultyStore) {
        self.base = base
        self.store = store
    }

    var size: UInt64 { base.size }

    func read(at offset: UInt64, _ limit: Int) throws(TidemarkError) -> [UInt8] {
        try store.perform(.readBack) { () throws(TidemarkError) in
            try base.read(at: offset, limit)
        }
    }

    func write(at offset: UInt64, _ bytes: RawSpan) throws(TidemarkError) {
        let copy = bytes.withUnsafeBytes { Array($0) }
        try store.perform(
            .append,
            torn: { (count) throws(TidemarkError) in
                try base.write(at: offset, Array(copy.prefix(count)).span.bytes)
            }
        ) { () throws(TidemarkError) in try base.write(at: offset, copy.span.bytes) }
    }

    func sync() throws(TidemarkError) {
        try store.perform(.sync) { () throws(TidemarkError) in try base.sync() }
    }

    func reserve(_ bytes: UInt64) { base.reserve(bytes) }

    func truncate(_ size: UInt64) throws(TidemarkError) {
        try store.perform(.truncate) { () throws(TidemarkError) in try base.truncate(size) }
    }

    func seal(as key: ObjectKey) throws(TidemarkError) {
        try store.perform(.seal) { () throws(TidemarkError) in try base.seal(as: key) }
    }

    func discard() throws(TidemarkError) {
        try store.perform(.discard) { () throws(TidemarkError) in try base.discard() }
    }

    func close() { base.close() }
}
