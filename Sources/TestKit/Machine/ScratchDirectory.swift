package import Model
package import Platform
import Glibc

/// A directory of its own, removed with everything in it when the object goes.
///
/// `/tmp/tidemark-test-<pid>-<number>`: what a killed test process left is removed by the next one.
package final class ScratchDirectory: Sendable {
    package let path: String

    /// - Parameters:
    ///   - owner: gets the directory; needs root. Others may enter it but not write.
    ///   - place: `/tmp`, or `/dev/shm` for a tmpfs.
    package init(
        owner: UserIdentity? = nil, in place: String = "/tmp"
    ) throws(TidemarkError) {
        _ = Self.cleanedUp
        let number = Self.counter.update { count in
            count += 1
            return count
        }
        path = "\(place)/tidemark-test-\(getpid())-\(number)"
        try Self.make(path, owner)
        Self.living.update { _ = $0.insert(path) }
    }

    deinit {
        Self.living.update { _ = $0.remove(path) }
        Self.remove(path)
    }

    /// Makes a directory inside and returns its path; parents must exist.
    package func directory(
        _ name: String, owner: UserIdentity? = nil
    ) throws(TidemarkError) -> String {
        let inner = path + "/" + name
        try Self.make(inner, owner)
        return inner
    }

    private static func make(_ path: String, _ owner: UserIdentity?) throws(TidemarkError) {
        var status = mkdir(path, 0o755)
        if status == 0, let owner, !owner.isCurrent { status = chown(path, owner.uid, owner.gid) }
        guard status == 0 else {
            throw TidemarkError(.failed, "cannot make \(path) (errno \(errno))")
        }
    }

    // MARK: clean-up

    private static let counter = Monitor(0)
    private static let living = Monitor<Set<String>>([])

    /// Once per process: removes the leftovers of dead processes, and our own at exit.
    private static let cleanedUp: Bool = {
        atexit { ScratchDirectory.living.read { $0 }.forEach(ScratchDirectory.remove) }
        for place in ["/tmp", "/dev/shm"] {
            for name in namesInside(place) where isLeftover(name) { remove("\(place)/\(name)") }
        }
        return true
    }()

    private static func isLeftover(_ name: String) -> Bool {
        let parts = name.split(separator: "-")
        guard name.hasPrefix("tidemark-test-"), parts.count == 4, let pid = Int32(parts[2])
        else { return false }
        return kill(pid, 0) != 0 && errno == ESRCH
    }

    private static func remove(_ path: String) {
        // Not a directory, or a link to one: unlink alone is right, and enough.
        if unlink(path) == 0 || errno == ENOENT { return }
        for name in namesInside(path) { remove(path + "/" + name) }
        rmdir(path)
    }
}
