/// The bytes below a repository: a folder or a bucket.
///
/// Every call blocks until it is done, so call it only from a thread of one's own
/// (`DedicatedThread`), never from the cooperative pool. Implementations are safe to call from
/// several threads at once. Errors: `notFound`, `repositoryUnreachable`, `repositoryFull`,
/// `repositoryReadOnly`, `contentConflict`, `failed`; the code says whether a retry helps.
package protocol ObjectStore: AnyObject, Sendable {
    /// For messages; holds no secret.
    var url: String { get }

    /// Size of an object; nil when it does not exist.
    func size(_ key: ObjectKey) throws(TidemarkError) -> UInt64?

    /// Opens an object for reading from `offset`. Throws `notFound`.
    func open(_ key: ObjectKey, at offset: UInt64) throws(TidemarkError) -> any ObjectReader

    /// Stores a small object whole. Durable when it returns; readers see the old or the new bytes.
    ///
    /// `.create` throws `contentConflict` when the key exists with other bytes, and does nothing
    /// when it exists with the same; `.replace` overwrites.
    func put(_ key: ObjectKey, _ bytes: [UInt8], _ mode: PutMode) throws(TidemarkError)

    /// Starts a large object. It does not exist before `finish` has returned.
    func create(_ key: ObjectKey) throws(TidemarkError) -> any ObjectWriter

    /// Objects whose key starts with `prefix`, in ascending order of the key. Leaves out what was
    /// never finished. A missing folder is an empty list; an unreachable store is an error.
    func list(_ prefix: String) throws(TidemarkError) -> [ObjectInfo]

    /// Names of the folders directly below `prefix`, ascending: empty for the top, else with `/` at
    /// its end. Every one that holds an object is among them. Reads one level, however many objects
    /// lie below.
    func folders(_ prefix: String) throws(TidemarkError) -> [String]

    /// Removes an object; does nothing when it does not exist.
    func delete(_ key: ObjectKey) throws(TidemarkError)

    /// Removes what interrupted writers left behind, if older than `seconds`.
    func sweep(_ prefix: String, olderThan seconds: Double) throws(TidemarkError)

    /// The way to append to an object in place; nil where the store cannot (object stores).
    var appending: (any AppendingStore)? { get }
}

extension ObjectStore {
    /// For stores that know no levels: reads everything below the prefix.
    package func folders(_ prefix: String) throws(TidemarkError) -> [String] {
        var names: Set<String> = []
        for info in try list(prefix) {
            let parts = info.key.path.dropFirst(prefix.count).split(separator: "/")
            if parts.count > 1 { names.insert(String(parts[0])) }
        }
        return names.sorted()
    }
}

/// A key: path segments joined by `/`, relative to the repository; never empty, absolute or with
/// `..`.
package struct ObjectKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let path: String

    /// - Precondition: the path is relative and has no empty, `.` or `..` segment.
    package init(_ path: String) {
        let segments = path.split(separator: "/", omittingEmptySubsequences: false)
        precondition(
            segments.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }, "bad key \(path)")
        self.path = path
    }

    package var description: String { path }
    /// Last segment.
    package var name: String { String(path.split(separator: "/").last ?? "") }
    package static func < (a: ObjectKey, b: ObjectKey) -> Bool { a.path < b.path }
    package static func / (key: ObjectKey, name: String) -> ObjectKey {
        ObjectKey(key.path + "/" + name)
    }
}

/// One row of a listing.
package struct ObjectInfo: Hashable, Sendable {
    package var key: ObjectKey
    package var size: UInt64

    package init(key: ObjectKey, size: UInt64) {
        self.key = key
        self.size = size
    }
}

/// What `put` does with a key that exists.
package enum PutMode: Sendable {
    case create, replace
}

/// An open object, read once from front to back. Not shared between threads.
package protocol ObjectReader: AnyObject {
    /// Size of the whole object.
    var size: UInt64 { get }
    /// Reads up to `limit` bytes; an empty array at the end.
    func read(_ limit: Int) throws(TidemarkError) -> [UInt8]
    func close()
}

/// An object being written. Not shared between threads. Dropped without `finish`: nothing is
/// stored.
package protocol ObjectWriter: AnyObject {
    func write(_ bytes: [UInt8]) throws(TidemarkError)
    /// Makes the object durable and visible, all of it at once. Replaces an older object of the
    /// key.
    func finish() throws(TidemarkError)
    /// Throws away what was written.
    func abort()
}

/// The capability of a file repository to keep an open segment as a growing file.
package protocol AppendingStore: AnyObject, Sendable {
    /// Opens or creates the file; its directory entry is durable when this returns.
    ///
    /// Only one process may hold it: a second `openAppendable` of the key throws `failed`, naming
    /// the remedy, until the first has closed.
    func openAppendable(_ key: ObjectKey) throws(TidemarkError) -> any AppendableFile
}

/// A file that grows in place. Calls come from one thread at a time.
package protocol AppendableFile: AnyObject {
    var size: UInt64 { get }
    /// Reads up to `limit` bytes at `offset`; empty at the end.
    func read(at offset: UInt64, _ limit: Int) throws(TidemarkError) -> [UInt8]
    /// Writes all bytes at `offset`; not durable before `sync`.
    func write(at offset: UInt64, _ bytes: RawSpan) throws(TidemarkError)
    /// fdatasync: everything written before is durable when it returns.
    func sync() throws(TidemarkError)
    /// Reserves space behind the end without changing the size, best effort.
    func reserve(_ bytes: UInt64)
    func truncate(_ size: UInt64) throws(TidemarkError)
    /// Syncs, then gives the file its final name, durably; the handle is closed.
    ///
    /// When `key` exists: with the same bytes the file is dropped, with others `contentConflict` is
    /// thrown that names both, and nothing changes.
    func seal(as key: ObjectKey) throws(TidemarkError)
    /// Removes the file; the handle is closed.
    func discard() throws(TidemarkError)
    func close()
}
