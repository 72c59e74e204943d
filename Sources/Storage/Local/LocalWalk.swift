import Model
import Platform
import Glibc

/// One walk through the folders below a prefix of keys.
struct LocalWalk {
    /// Deeper is not a repository but a loop of links.
    private static let depthLimit = 32

    private let root: String
    /// The folder part of the prefix, with its slash, and what names in that folder start with.
    private let folder: String
    private let start: String
    private let calls: SystemCalls

    init(root: String, prefix: String, _ calls: SystemCalls) {
        precondition(
            !prefix.hasPrefix("/") && !prefix.split(separator: "/").contains(".."),
            "a prefix stays inside the repository: \(prefix)")
        let cut = prefix.lastIndex(of: "/").map { prefix.index(after: $0) } ?? prefix.startIndex
        self.root = root
        folder = String(prefix[..<cut])
        start = String(prefix[cut...])
        self.calls = calls
    }

    /// Finished objects, ascending by key. A folder that does not exist holds none.
    func objects() throws(SystemFailure) -> [ObjectInfo] {
        var found: [ObjectInfo] = []
        try walk(folder, start, 0) { path, status in
            if !Self.isTemporary(path) {
                found.append(ObjectInfo(key: ObjectKey(path), size: status.size))
            }
        }
        return found.sorted { $0.key < $1.key }
    }

    /// Names of the folders in the prefix's own folder, ascending.
    func folders() throws(SystemFailure) -> [String] {
        let place = root + "/" + folder
        let names = try existing { () throws(SystemFailure) in
            try Directory.names(in: place, calls: calls)
        }
        var found: [String] = []
        for name in names ?? [] where name.hasPrefix(start) && !isForeign(name) {
            let status = try existing { () throws(SystemFailure) in
                try calls.inspect(place + name)
            }
            if status?.isDirectory == true { found.append(name) }
        }
        return found
    }

    /// The file system's own folder at the top of a mount, closed to everybody but root.
    private func isForeign(_ name: String) -> Bool { folder.isEmpty && name == "lost+found" }

    /// Paths of files that were not finished when last seen.
    func temporaryFiles() throws(SystemFailure) -> [String] {
        var found: [String] = []
        try walk(folder, "", 0) { path, _ in
            if Self.isTemporary(path) { found.append(root + "/" + path) }
        }
        return found
    }

    private static func isTemporary(_ path: String) -> Bool {
        path.hasPrefix(TemporaryNames.prefix) || path.contains("/" + TemporaryNames.prefix)
    }

    private func walk(
        _ folder: String, _ start: String, _ depth: Int, _ visit: (String, FileStatus) -> Void
    ) throws(SystemFailure) {
        let place = root + "/" + folder
        guard depth < Self.depthLimit else { throw SystemFailure(.list, place, ELOOP) }
        let names = try existing { () throws(SystemFailure) in
            try Directory.names(in: place, calls: calls)
        }
        for name in names ?? [] where start.isEmpty || name.hasPrefix(start) {
            // The file system's own folder at the top of a mount, closed to everybody but root.
            if folder.isEmpty, name == "lost+found" { continue }
            let path = folder + name
            let status = try existing { () throws(SystemFailure) in
                try calls.inspect(root + "/" + path)
            }
            // Nil: removed, or renamed by its writer, since the folder was read.
            guard let status else { continue }
            if status.isDirectory {
                try walk(path + "/", "", depth + 1, visit)
            } else if status.isRegularFile {
                visit(path, status)
            }
        }
    }
}
