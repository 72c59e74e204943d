package import Model
package import Platform
import Glibc

/// A file system of a few mebibytes (tmpfs) that can be filled and made read-only; gone with the
/// object.
///
/// Mounting takes root, as a full disk cannot be had otherwise: `AsRoot` says how.
package final class SmallFileSystem: Sendable {
    /// Where it is mounted.
    package let path: String

    /// - Parameters:
    ///   - path: an existing directory.
    ///   - user: who may write there; nil: we.
    package init(
        at path: String, mebibytes: Int, owner user: UserIdentity? = PostgresTools.user
    ) throws(TidemarkError) {
        let (uid, gid) = user.map { ($0.uid, $0.gid) } ?? (geteuid(), getegid())
        try AsRoot.succeed(
            "mount",
            [
                "-t", "tmpfs", "-o", "size=\(mebibytes)m,mode=755,uid=\(uid),gid=\(gid)", "tmpfs",
                path,
            ])
        self.path = path
        Self.mounted.update { $0.append(path) }
        _ = Self.unmountsAtExit
    }

    deinit {
        let own = Self.mounted.update { all in
            let own = all.filter { $0.hasPrefix(path + "/") } + [path]
            all.removeAll { own.contains($0) }
            return own
        }
        own.forEach(Self.unmount)
    }

    /// Writes a file until not a byte more fits, or less than so many mebibytes.
    package func fill(
        _ name: String = "filler", leaving mebibytes: Int = 0
    ) throws(TidemarkError) {
        let file = open(path + "/" + name, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else {
            throw TidemarkError(.failed, "cannot fill \(path) (errno \(errno))")
        }
        defer { close(file) }
        let zeros = [UInt8](repeating: 0, count: 64 << 10)
        var size = zeros.count
        while size > 0, freeBytes > mebibytes << 20 {
            if write(file, zeros, size) <= 0 { size /= 2 }
        }
    }

    /// Gives back what `fill` took.
    package func drain(_ name: String = "filler") { unlink(path + "/" + name) }

    private var freeBytes: Int {
        var facts = statvfs()
        guard statvfs(path, &facts) == 0 else { return 0 }
        return Int(facts.f_bavail) * Int(facts.f_frsize)
    }

    /// Lets nothing be written any more, or again.
    ///
    /// The kernel makes no file system read-only while a file is open for writing, unless the disk
    /// below it fails. So it is covered with itself, read-only: whatever is opened from now on is
    /// refused (EROFS), and files that are open already can still be written.
    package func remount(readOnly: Bool) throws(TidemarkError) {
        guard readOnly else {
            try AsRoot.succeed("umount", ["-l", path])
            return Self.mounted.update { $0.removeAll { $0 == path + "/." } }
        }
        try AsRoot.succeed("mount", ["--bind", path, path])
        Self.mounted.update { $0.append(path + "/.") }
        try AsRoot.succeed("mount", ["-o", "remount,bind,ro", path])
    }

    private static func unmount(_ path: String) {
        // Lazily: a server that still ends may have files open there.
        _ = try? AsRoot.run("umount", ["-l", path])
    }

    /// Those above others last.
    private static let mounted = Monitor<[String]>([])

    private static let unmountsAtExit: Bool = {
        atexit { SmallFileSystem.mounted.read { $0 }.reversed().forEach(SmallFileSystem.unmount) }
        return true
    }()
}
