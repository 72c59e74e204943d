import Model
import Platform
import Glibc

/// The one table from errno to the program's errors, for everything below a local repository.
enum LocalFailure {
    static func error(for failure: SystemFailure, root: String) -> TidemarkError {
        let (code, remedy) = row(failure, root)
        let message =
            switch code {
            case .repositoryFull: "the repository is full: \(failure.message)"
            case .repositoryReadOnly where failure.number == EROFS:
                "the repository is read-only: \(failure.message)"
            case .repositoryReadOnly: "no permission in the repository: \(failure.message)"
            default: failure.message
            }
        return TidemarkError(code, message, remedy: remedy)
    }

    /// One user writes an archive, and others read it by its group: another owner would lock out
    /// the sidecar that runs.
    private static func access(_ root: String) -> String {
        let user = UserIdentity.currentName
        guard let owner = FileOwner(of: root) else {
            return "let \(user) enter the folders above \(root): ls -ld shows their rights"
        }
        guard owner.user != user else {
            return "\(user) owns \(root), and not all that is in it: chown -R \(user) \(root); "
                + "chmod -R u+rwX \(root) # as root"
        }
        let asOwner = "run this as \(owner.user), who owns \(root)"
        guard owner.group != "root" else { return asOwner }
        return asOwner + "; to read alone, \(user) may join its group: usermod -aG "
            + "\(owner.group) \(user) # as root"
    }

    private static func row(
        _ failure: SystemFailure, _ root: String
    ) -> (TidemarkError.Code, remedy: String) {
        switch failure.number {
        case ENOSPC:
            (.repositoryFull, "free space on the file system of \(root); df \(root) shows it")
        case EDQUOT:
            (.repositoryFull, "raise the quota of this user on the file system of \(root)")
        case EROFS:
            (
                .repositoryReadOnly,
                "make its file system writable: mount -o remount,rw "
                    + "\"$(findmnt -no TARGET -T \(root))\""
            )
        case EACCES, EPERM:
            (.repositoryReadOnly, access(root))
        case ENOENT where failure.path == root:
            (
                .repositoryUnreachable,
                "is its file system mounted? try: mount \(root); a new repository's folder is "
                    + "made by: mkdir -p \(root)"
            )
        case ENOTDIR where failure.path == root:
            (.repositoryUnreachable, "give repository.url the path of a folder")
        case ENOENT:
            (.notFound, "check that nothing else moves files below \(root)")
        case EIO, ENXIO, ENODEV, EUCLEAN, EREMOTEIO:
            (.repositoryUnreachable, "check the disk below \(root); dmesg names the fault")
        case ESTALE, ETIMEDOUT, EHOSTDOWN, EHOSTUNREACH, ENOTCONN, ECONNRESET, ECONNREFUSED:
            (.repositoryUnreachable, "check the file server and mount \(root) again")
        case EMFILE, ENFILE:
            (.failed, "raise the limit of open files (ulimit -n)")
        case EWOULDBLOCK where failure.call == .lock:
            (.failed, "stop the other tidemark that writes to \(root)")
        default:
            (.failed, "check the file system of \(root)")
        }
    }
}
