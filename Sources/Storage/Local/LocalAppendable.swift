import Model
import Platform
import Glibc

/// The open segment of a local repository: a file that grows in place under an exclusive lock.
final class LocalAppendable: AppendableFile {
    private static let chunk = 1 << 20

    private let key: ObjectKey
    private let store: LocalStore
    private let path: String
    private var file: File?
    /// Device and inode of the open file.
    private let identity: FileIdentity
    private(set) var size: UInt64 = 0
    /// The first failed sync. The kernel may have dropped the pages it could not write, so a later
    /// sync that succeeds proves nothing: from then on this handle only fails.
    private var broken: TidemarkError?

    init(_ key: ObjectKey, _ store: LocalStore) throws(TidemarkError) {
        self.key = key
        self.store = store
        path = store.path(key)
        do throws(SystemFailure) {
            file = try Self.openLocked(path, store.calls)
            let status = try file!.status()
            identity = status.identity
            size = status.size
            try Directory.sync(Directory.parent(path), calls: store.calls)
            try rewrite()
        } catch {
            if error.number == EWOULDBLOCK, error.call == .lock { throw Self.taken(path) }
            if error.isAbsence { store.root.forgetFolders() }
            throw LocalFailure.error(for: error, root: store.root.path)
        }
    }

    private static func taken(_ path: String) -> TidemarkError {
        TidemarkError(
            .failed, "\(path) is being written by another tidemark",
            remedy: "let one sidecar archive a source: stop the other (fuser \(path) names it)")
    }

    /// Opens and locks, and makes sure that the path still names the locked file: its holder may
    /// have sealed it in between.
    private static func openLocked(
        _ path: String, _ calls: SystemCalls
    ) throws(SystemFailure) -> File {
        for _ in 0..<100 {
            var file = try File(path, .updating, calls: calls)
            try file.lock()
            let named = try existing { () throws(SystemFailure) in try calls.inspect(path) }
            if let named, try named.isSameFile(as: file.status()) { return file }
        }
        throw SystemFailure(.open, path, EAGAIN)
    }

    /// Writes what is there once more, and syncs it.
    ///
    /// After a failed fdatasync the page cache may show bytes that never reached the disk, and show
    /// them as clean, to a later process too. Whoever opens the file believes what it reads; so it
    /// is made true. At most one segment, once per start.
    private func rewrite() throws(SystemFailure) {
        var offset: UInt64 = 0
        while offset < size {
            let bytes = try file!.read(at: offset, Self.chunk)
            if bytes.isEmpty { break }
            try unsafe file!.write(at: offset, bytes.span.bytes)
            offset += UInt64(bytes.count)
        }
        if size > 0 { try file!.syncData() }
    }

    private func working<Value>(
        _ body: (borrowing File) throws(SystemFailure) -> Value
    ) throws(TidemarkError) -> Value {
        precondition(file != nil, "\(key) is not used after it was closed")
        return try store.root.translating { () throws(SystemFailure) in try body(file!) }
    }

    func read(at offset: UInt64, _ limit: Int) throws(TidemarkError) -> [UInt8] {
        let wanted = Int(min(UInt64(limit), size > offset ? size - offset : 0))
        if wanted == 0 { return [] }
        return try working { (file) throws(SystemFailure) in try file.read(at: offset, wanted) }
    }

    func write(at offset: UInt64, _ bytes: RawSpan) throws(TidemarkError) {
        if let broken { throw broken }
        do throws(TidemarkError) {
            try working { (file) throws(SystemFailure) in try file.write(at: offset, bytes) }
        } catch {
            // Some of the bytes may be there; the true size is what the file system says.
            size = try working { (file) throws(SystemFailure) in try file.status().size }
            throw error
        }
        size = max(size, offset + UInt64(bytes.byteCount))
    }

    func sync() throws(TidemarkError) {
        if let broken { throw broken }
        do throws(TidemarkError) {
            try working { (file) throws(SystemFailure) in try file.syncData() }
        } catch {
            broken = error
            throw error
        }
        try checkNamed()
    }

    /// Bytes of a file that was moved away or removed are in no archive, however durable they are.
    private func checkNamed() throws(TidemarkError) {
        let named = try store.root.translating { () throws(SystemFailure) in
            try existing { () throws(SystemFailure) in try store.calls.identify(path) }
        }
        if named == identity { return }
        try store.root.check()
        throw TidemarkError(
            .repositoryUnreachable, "\(path) was moved away or removed while it was written",
            remedy: "put it back, or leave it: what is still missing is asked for again")
    }

    func reserve(_ bytes: UInt64) {
        guard bytes > 0 else { return }
        do throws(TidemarkError) {
            try working { (file) throws(SystemFailure) in
                try file.allocate(at: size, bytes, keepSize: true)
            }
        } catch {
            // Reserving only saves time. Whether there is room, the next write tells.
        }
    }

    func truncate(_ size: UInt64) throws(TidemarkError) {
        if let broken { throw broken }
        try working { (file) throws(SystemFailure) in try file.truncate(size) }
        self.size = size
    }

    func close() { file = nil }
}

extension LocalAppendable {
    func seal(as key: ObjectKey) throws(TidemarkError) {
        try sync()
        try store.makeParents(of: key)
        let target = store.path(key)
        let isNew = try store.root.translating { () throws(SystemFailure) in
            do throws(SystemFailure) {
                try store.calls.renameNew(path, target)
                return true
            } catch let error where error.number == EEXIST {
                return false
            }
        }
        // An archive is written all day and hardly read: its pages would push the database's own
        // out of the cache of a machine that both share, and fresh ones cost more than writing.
        file?.adviseUnneeded()
        if !isNew { try drop(ifEqualTo: key, target) }
        try store.root.translating { () throws(SystemFailure) in
            try Directory.sync(Directory.parent(target), calls: store.calls)
            if Directory.parent(path) != Directory.parent(target) {
                try Directory.sync(Directory.parent(path), calls: store.calls)
            }
        }
        close()
    }

    /// The target exists: ours is superfluous when it holds the same, and evidence when not.
    private func drop(ifEqualTo other: ObjectKey, _ target: String) throws(TidemarkError) {
        let reader = try store.open(other, at: 0)
        defer { reader.close() }
        var offset: UInt64 = 0
        var equal = reader.size == size
        while equal, offset < size {
            let theirs = try reader.read(Self.chunk)
            let ours = try read(at: offset, theirs.count)
            equal = !theirs.isEmpty && theirs == ours
            offset += UInt64(theirs.count)
        }
        guard equal else {
            throw TidemarkError(
                .contentConflict,
                "\(path) (\(size) bytes) cannot become \(target) (\(reader.size) bytes): it exists "
                    + "and holds other bytes",
                remedy: "find out which of the two is right and move the other one away")
        }
        try store.root.translating { () throws(SystemFailure) in try store.calls.remove(path) }
    }

    func discard() throws(TidemarkError) {
        try working { (_) throws(SystemFailure) in
            try store.calls.remove(path)
            try Directory.sync(Directory.parent(path), calls: store.calls)
        }
        close()
    }
}
