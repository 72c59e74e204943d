package import Model
package import Platform
import Glibc

/// A file system of a few mebibytes (tmpfs) that can be filled; gone with the object.
///
/// Mounting takes root, as a full disk cannot be had otherwise.
package final class SmallFileSystem: Sendable {
    /// Where it is mounted.
    package let path: String

    /// - Parameters:
    ///   - path: an existing directory.
    ///   - user: who may write there.
    package init(
        at path: String, mebibytes: Int, owner user: UserIdentity? = PostgresTools.user
    ) throws(TidemarkError) {
        let owner = user.map { ",uid=\($0.uid),gid=\($0.gid)" } ?? ""
        let options = "size=\(mebibytes)m,mode=755" + owner
        guard mount("tmpfs", path, "tmpfs", 0, options) == 0 else {
            throw TidemarkError(
                .failed, "cannot mount a tmpfs on \(path) (errno \(errno))",
                remedy: "run the tests as root")
        }
        self.path = path
        Self.mounted.update { _ = $0.insert(path) }
        _ = Self.unmountsAtExit
    }

    deinit {
        Self.mounted.update { _ = $0.remove(path) }
        umount2(path, Int32(MNT_DETACH))
    }

    /// Writes a file until not a byte more fits.
    package func fill(_ name: String = "filler") throws(TidemarkError) {
        let file = open(path + "/" + name, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else {
            throw TidemarkError(.failed, "cannot fill \(path) (errno \(errno))")
        }
        defer { close(file) }
        let zeros = [UInt8](repeating: 0, count: 64 << 10)
        var size = zeros.count
        while size > 0 { if write(file, zeros, size) <= 0 { size /= 2 } }
    }

    /// Gives back what `fill` took.
    package func drain(_ name: String = "filler") { unlink(path + "/" + name) }

    private static let mounted = Monitor<Set<String>>([])

    private static let unmountsAtExit: Bool = {
        atexit {
            for path in SmallFileSystem.mounted.read({ $0 }) {
                umount2(path, Int32(MNT_DETACH))
            }
        }
        return true
    }()
}
