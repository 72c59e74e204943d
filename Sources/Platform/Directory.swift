import Glibc

/// Work on directories, by path.
package enum Directory {
    /// fsync: names made, renamed or removed in it are durable when it returns.
    package static func sync(
        _ path: String, calls: SystemCalls = .init()
    ) throws(SystemFailure) {
        let descriptor = try calls.open(path, O_RDONLY | O_DIRECTORY)
        defer { Glibc.close(descriptor) }
        do throws(SystemFailure) {
            try calls.sync(descriptor, path)
        } catch let error where error.number == EINVAL || error.number == EBADF {
            // Some network and user-space file systems cannot; Postgres's fsync_fname goes on too.
        }
    }

    /// Makes one directory, durably; true when it was not there before.
    ///
    /// The parent is synced even when the directory exists: who made it may not have done so yet.
    @discardableResult
    package static func make(
        _ path: String, mode: UInt32 = 0o750, calls: SystemCalls = .init()
    ) throws(SystemFailure) -> Bool {
        var isNew = true
        do throws(SystemFailure) {
            try calls.makeDirectory(path, mode: mode)
        } catch let error where error.number == EEXIST {
            isNew = false
        }
        try sync(parent(path), calls: calls)
        return isNew
    }

    /// Makes a directory and every missing one above it, durably.
    package static func makeAll(
        _ path: String, mode: UInt32 = 0o750, calls: SystemCalls = .init()
    ) throws(SystemFailure) {
        do throws(SystemFailure) {
            if try calls.inspect(path).isDirectory { return }
            throw SystemFailure(.makeDirectory, path, ENOTDIR)
        } catch let error where error.number == ENOENT {
            let above = parent(path)
            if above != path { try makeAll(above, mode: mode, calls: calls) }
        }
        try make(path, mode: mode, calls: calls)
    }

    /// Names inside, ascending; without `.`, `..` and names that are not UTF-8.
    package static func names(
        in path: String, calls: SystemCalls = .init()
    ) throws(SystemFailure) -> [String] {
        try calls.names(in: path).sorted()
    }

    /// Removes a directory with everything in it; links are removed, not followed. Does nothing
    /// when it does not exist.
    package static func removeAll(
        _ path: String, calls: SystemCalls = .init()
    ) throws(SystemFailure) {
        do throws(SystemFailure) {
            try calls.remove(path)
            return
        } catch let error where error.number == ENOENT {
            return
        } catch let error where error.number == EISDIR || error.number == EPERM {
            // A directory: unlink answers EISDIR on Linux, EPERM by POSIX.
        }
        for name in try calls.names(in: path) {
            try removeAll(path + "/" + name, calls: calls)
        }
        try calls.removeDirectory(path)
    }

    /// The directory a path lies in; `/` for the root, `.` for a bare name.
    package static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
