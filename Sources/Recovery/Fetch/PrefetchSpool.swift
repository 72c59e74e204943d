import Glibc
import Model
import Platform

/// The folder of segments fetched ahead of redo, inside the data directory.
///
/// A file under a segment's own name is whole; it is consumed by renaming it away. `lock` is held
/// by the one process that fills the spool, `request` names the segment that was last fetched by
/// another way. The filler removes the folder when recovery is over.
struct PrefetchSpool: Sendable {
    static let folder = "tidemark-prefetch"
    static let lockName = "lock"
    static let requestName = "request"

    static let unfinishedSuffix = ".unfinished"

    /// How long a fetch waits for a file that the filler is just writing.
    private static let patienceSeconds = 10.0

    let path: String

    init(directory: String) { path = directory + "/" + Self.folder }

    private func file(_ name: String) -> String { path + "/" + name }

    /// Moves a whole file of this name to `target`; false when the spool does not have it.
    func take(_ name: String, to target: String) -> Bool {
        guard !name.contains("/"), name != Self.lockName, name != Self.requestName else {
            return false
        }
        if move(name, to: target) { return true }
        var waited = 0.0
        while waited < Self.patienceSeconds, isBeingWritten(name), isFilling {
            Pause.wait(seconds: 0.002)
            waited += 0.002
            if move(name, to: target) { return true }
        }
        return move(name, to: target)
    }

    private func move(_ name: String, to target: String) -> Bool {
        if unsafe rename(file(name), target) == 0 { return true }
        guard errno == EXDEV else { return false }
        // pg_wal may lie on another file system: copy, whole or not at all.
        guard let content = Self.content(file(name)),
            (try? DeliveredFile.write(content, to: target)) != nil
        else { return false }
        _ = unsafe unlink(file(name))
        return true
    }

    private func isBeingWritten(_ name: String) -> Bool {
        unsafe access(file(name + Self.unfinishedSuffix), F_OK) == 0
    }

    private static func content(_ path: String) -> [UInt8]? {
        guard let file = try? File(path, .reading), let size = try? file.status().size else {
            return nil
        }
        return try? file.read(at: 0, Int(size))
    }

    /// Whether a process holds the lock.
    var isFilling: Bool {
        guard unsafe access(file(Self.lockName), F_OK) == 0,
            var lock = try? File(file(Self.lockName), .updating)
        else { return false }
        return (try? lock.lock()) == nil
    }

    /// Tells the filler what was fetched another way, and starts one if there is none. Best effort:
    /// without a spool every fetch is as right, only slower.
    func start(_ launch: PrefetchLaunch, behind name: String) {
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { return }
        try? DeliveredFile.write(Array(name.utf8), to: file(Self.requestName))
        if isFilling { return }
        _ = try? Subprocess(
            launch.program, launch.arguments,
            SubprocessOptions(directory: launch.directory, outputFile: "/dev/null"))
    }

    // MARK: the filler's side

    /// Becomes the filler; nil when another process is. The lock ends with the process.
    func becomeFiller() -> File? {
        _ = unsafe mkdir(path, 0o700)
        guard var lock = try? File(file(Self.lockName), .updating, mode: 0o600),
            (try? lock.lock()) != nil
        else { return nil }
        return lock
    }

    /// The segment that was last fetched another way.
    var request: String? {
        Self.content(file(Self.requestName)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Names of whole segments.
    var ready: Set<String> {
        Set(names.filter { $0 != Self.lockName && $0 != Self.requestName && !$0.contains(".") })
    }

    private var names: [String] { (try? Directory.names(in: path)) ?? [] }

    func target(_ name: String) -> String { file(name) }

    func drop(_ name: String) { _ = unsafe unlink(file(name)) }

    /// Everything but the lock and the request.
    func clear() {
        for name in names where name != Self.lockName && name != Self.requestName {
            drop(name)
        }
    }

    /// Removes the folder with everything in it.
    func remove() {
        for name in names { drop(name) }
        _ = unsafe rmdir(path)
    }
}
