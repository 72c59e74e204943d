package import Model
package import Platform

/// A repository in a folder of a file system.
///
/// Durable means here: a temporary name beside the target, write, fdatasync, rename, fsync of the
/// directory. A crash leaves at most a file named `.tmp-…`, which no listing shows and `sweep`
/// removes, or a file that is whole but whose name may vanish again, which nobody was told of.
///
/// The root directory is never made in passing: a file system that is not mounted must not become
/// an empty repository on the disk below it.
package final class LocalStore: ObjectStore, AppendingStore {
    package let url: String
    let root: LocalRoot
    let calls: SystemCalls
    private let temporaryNames: TemporaryNames
    private let time: any TimeSource

    /// Opens the folder. Throws `repositoryUnreachable` when it does not exist, unless it may be
    /// made.
    ///
    /// - Parameters:
    ///   - path: absolute.
    ///   - createRoot: make the folder and its parents when missing; for the very first start only.
    ///   - faults: tests order failures by it.
    package init(
        path: String, createRoot: Bool, time: any TimeSource = SystemTimeSource(),
        faults: SystemFaults? = nil
    ) throws(TidemarkError) {
        precondition(path.hasPrefix("/"), "a local repository has an absolute path: \(path)")
        let calls = SystemCalls(faults: faults)
        root = try LocalRoot(path, create: createRoot, calls)
        url = FolderURL(path: root.path).description
        self.calls = calls
        self.time = time
        temporaryNames = TemporaryNames()
    }

    package var appending: (any AppendingStore)? { self }

    func path(_ key: ObjectKey) -> String { root.path + "/" + key.path }

    // MARK: reading

    package func size(_ key: ObjectKey) throws(TidemarkError) -> UInt64? {
        let status: FileStatus? = try root.translating { () throws(SystemFailure) in
            try existing { () throws(SystemFailure) in try calls.inspect(path(key)) }
        }
        guard let status else {
            try root.check()
            return nil
        }
        return status.isRegularFile ? status.size : nil
    }

    package func open(
        _ key: ObjectKey, at offset: UInt64
    ) throws(TidemarkError) -> any ObjectReader {
        guard let reader = try LocalReader(path(key), at: offset, root, calls) else {
            try root.check()
            throw TidemarkError(.notFound, "\(key) does not exist in \(url)")
        }
        return reader
    }

    // MARK: writing

    package func put(
        _ key: ObjectKey, _ bytes: [UInt8], _ mode: PutMode
    ) throws(TidemarkError) {
        if case .create = mode, let found = try difference(key, bytes) {
            return try settle(key, found)
        }
        let draft = try draft(for: key)
        try unsafe draft.write(bytes.span.bytes)
        switch mode {
        case .replace: try draft.publish(replacing: true)
        case .create:
            // Another writer may have been first since we looked.
            if try !draft.publish(replacing: false) {
                guard let found = try difference(key, bytes) else {
                    return try put(key, bytes, mode)
                }
                try settle(key, found)
            }
        }
    }

    /// Whether the key exists, and if so, whether it holds these bytes; nil when it does not exist.
    private func difference(
        _ key: ObjectKey, _ bytes: [UInt8]
    ) throws(TidemarkError) -> Comparison? {
        guard let reader = try LocalReader(path(key), at: 0, root, calls) else { return nil }
        guard reader.size == bytes.count else { return .different(size: reader.size) }
        let found = try reader.read(bytes.count)
        return found == bytes ? .same : .different(size: reader.size)
    }

    private enum Comparison {
        case same
        case different(size: UInt64)
    }

    private func settle(_ key: ObjectKey, _ comparison: Comparison) throws(TidemarkError) {
        switch comparison {
        case .same:
            // Its writer may have died between rename and fsync.
            try root.translating { () throws(SystemFailure) in
                try Directory.sync(Directory.parent(path(key)), calls: calls)
            }
        case .different(let size):
            throw TidemarkError(
                .contentConflict,
                "\(path(key)) already holds other bytes (\(size) bytes) than those to be stored",
                remedy: "find out which of the two is right; move the file away to let go on")
        }
    }

    package func create(_ key: ObjectKey) throws(TidemarkError) -> any ObjectWriter {
        LocalWriter(try draft(for: key))
    }

    private func draft(for key: ObjectKey) throws(TidemarkError) -> LocalDraft {
        try makeParents(of: key)
        return try LocalDraft(target: path(key), temporaryNames, root, calls)
    }

    /// Makes the folders of a key, durably; the root must be there.
    func makeParents(of key: ObjectKey) throws(TidemarkError) {
        try root.check()
        try root.makeFolders(key.path.split(separator: "/").dropLast().map(String.init))
    }

    // MARK: removing

    package func delete(_ key: ObjectKey) throws(TidemarkError) {
        let existed = try root.translating { () throws(SystemFailure) in
            let gone: Void? = try existing { () throws(SystemFailure) in
                try calls.remove(path(key))
                try Directory.sync(Directory.parent(path(key)), calls: calls)
            }
            return gone != nil
        }
        if !existed { try root.check() }
    }

    package func sweep(_ prefix: String, olderThan seconds: Double) throws(TidemarkError) {
        let limit = time.wall().advanced(bySeconds: -seconds)
        try root.translating { () throws(SystemFailure) in
            let walk = LocalWalk(root: root.path, prefix: prefix, calls)
            for path in try walk.temporaryFiles() {
                let _: Void? = try existing { () throws(SystemFailure) in
                    try LocalDraft.removeAbandoned(path, modifiedBefore: limit, calls)
                }
            }
        }
    }

    // MARK: listing

    package func list(_ prefix: String) throws(TidemarkError) -> [ObjectInfo] {
        let found = try root.translating { () throws(SystemFailure) in
            try LocalWalk(root: root.path, prefix: prefix, calls).objects()
        }
        if found.isEmpty { try root.check() }
        return found
    }

    package func folders(_ prefix: String) throws(TidemarkError) -> [String] {
        let found = try root.translating { () throws(SystemFailure) in
            try LocalWalk(root: root.path, prefix: prefix, calls).folders()
        }
        if found.isEmpty { try root.check() }
        return found
    }

    // MARK: appending

    package func openAppendable(_ key: ObjectKey) throws(TidemarkError) -> any AppendableFile {
        try makeParents(of: key)
        return try LocalAppendable(key, self)
    }
}

/// Nil when the file (or a folder on the way to it) does not exist.
func existing<Value>(
    _ body: () throws(SystemFailure) -> Value
) throws(SystemFailure) -> Value? {
    do throws(SystemFailure) {
        return try body()
    } catch let error where error.isAbsence {
        return nil
    }
}
