import Glibc
import Model

/// The folder that becomes the data directory of a copy.
struct Destination: Sendable {
    let path: String

    /// Made first and removed last: says that what lies here was an unfinished restore.
    static let unfinishedMark = "tidemark-restore"

    /// Refuses what must not be overwritten. Writes nothing.
    func check(force: Bool) throws(TidemarkError) {
        let names = try CopyFiles.names(path) ?? []
        if names.isEmpty { return }
        guard force else {
            let what =
                names.contains(Self.unfinishedMark)
                ? "holds an interrupted restore" : "is not empty"
            throw TidemarkError(
                .destinationOccupied, "the destination \(path) \(what)",
                remedy: "choose an empty folder, or give --force to replace what is there")
        }
        guard isReplaceable(names) else {
            throw TidemarkError(
                .destinationOccupied,
                "the destination \(path) holds \(names[0]), and is neither a data directory nor "
                    + "an unfinished restore",
                remedy: "choose an empty folder; --force replaces only what a server or a restore "
                    + "has left")
        }
        if let process = try runningServer() {
            throw TidemarkError(
                .destinationOccupied,
                "a server (process \(process)) runs on the destination \(path)",
                remedy: "name another folder with --into, or stop that server first: "
                    + "kill -INT \(process)")
        }
    }

    /// Whether what lies here may be removed: a data directory, or what a restore left behind.
    private func isReplaceable(_ names: [String]) -> Bool {
        names.contains("PG_VERSION") || names.contains(Self.unfinishedMark)
    }

    /// Process id of a live server on this folder.
    func runningServer() throws(TidemarkError) -> Int32? {
        guard let content = try CopyFiles.read(path + "/postmaster.pid") else { return nil }
        let line = String(decoding: content.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard let process = Int32(line), process > 0 else { return nil }
        return Glibc.kill(process, 0) == 0 || errno == EPERM ? process : nil
    }

    /// Makes the folder; what `check` let pass is removed.
    func clear() throws(TidemarkError) {
        let names = try CopyFiles.names(path) ?? []
        let isOurs = isReplaceable(names)
        try CopyFiles.makeFolder(path)
        if unsafe chmod(path, 0o700) != 0 { throw CopyFiles.failure("cannot change \(path)") }
        try CopyFiles.writeWhole(
            path + "/" + Self.unfinishedMark, "an unfinished restore by tidemark; not a database\n")
        guard isOurs else { return }
        for name in names where name != Self.unfinishedMark {
            try CopyFiles.removeTree(path + "/" + name)
        }
    }

    /// Refuses a file system with less room than the copy takes.
    static func checkRoom(_ needs: [(path: String, bytes: UInt64)]) throws(TidemarkError) {
        var byDevice: [dev_t: (path: String, needed: UInt64, free: UInt64)] = [:]
        for need in needs {
            let path = try nearestExisting(need.path)
            var facts = stat()
            var space = statvfs()
            guard unsafe stat(path, &facts) == 0, unsafe statvfs(path, &space) == 0 else {
                throw CopyFiles.failure("cannot look at \(path)")
            }
            let free = UInt64(space.f_bavail) * UInt64(space.f_frsize)
            byDevice[facts.st_dev, default: (need.path, 0, free)].needed += need.bytes
        }
        for entry in byDevice.values where entry.needed > entry.free {
            throw TidemarkError(
                .failed,
                "\(entry.path) has \(ByteCount(entry.free)) free, the restore needs "
                    + "\(ByteCount(entry.needed))",
                remedy: "free \(ByteCount(entry.needed - entry.free)) there or choose another "
                    + "destination with --into")
        }
    }

    private static func nearestExisting(_ path: String) throws(TidemarkError) -> String {
        var path = path
        while !CopyFiles.exists(path) {
            guard let slash = path.lastIndex(of: "/") else { return "." }
            path = slash == path.startIndex ? "/" : String(path[..<slash])
        }
        return path
    }
}
