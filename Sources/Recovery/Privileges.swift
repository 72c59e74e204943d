import Glibc
import Model
import Platform

/// Becomes the owner of the copy. A database server refuses to run as root, and must own its files.
enum Privileges {
    /// As root: makes the destination's missing folders for the user, then becomes that user for
    /// good, before anything else is written.
    static func settle(_ request: RestoreRequest) throws(TidemarkError) {
        guard UserIdentity.isRoot else {
            guard let name = request.user else { return }
            if try UserIdentity(named: name).isCurrent { return }
            throw TidemarkError(
                .usage, "only root can restore for another user (\(name))",
                remedy: "run the restore as root, or as \(name) without --user")
        }
        guard let name = request.user else {
            throw TidemarkError(
                .usage, "restore runs as root, but the restored server must not",
                remedy: "name the owner of the copy: --user postgres")
        }
        let user = try UserIdentity(named: name)
        guard user.uid != 0 else {
            throw TidemarkError(
                .usage, "the owner of a restored copy cannot be root",
                remedy: "name an ordinary user: --user postgres")
        }
        for folder in [request.destination] + request.relocations.values.sorted() {
            try makeFolder(folder, for: user)
        }
        try become(user)
    }

    private static func makeFolder(
        _ path: String, for user: UserIdentity
    ) throws(TidemarkError) {
        if unsafe access(path, F_OK) == 0 { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeFolder(String(path[..<slash]), for: user)
        }
        guard unsafe mkdir(path, 0o700) == 0, unsafe chown(path, user.uid, user.gid) == 0 else {
            let reason = unsafe String(cString: strerror(errno))
            throw TidemarkError(
                .failed, "cannot make the folder \(path) for \(user.name): \(reason)",
                remedy: "choose another destination with --into")
        }
    }

    /// The C library changes every thread of the process.
    private static func become(_ user: UserIdentity) throws(TidemarkError) {
        guard unsafe initgroups(user.name, user.gid) == 0, setgid(user.gid) == 0,
            setuid(user.uid) == 0, getuid() == user.uid, geteuid() == user.uid
        else {
            let reason = unsafe String(cString: strerror(errno))
            throw TidemarkError(
                .failed, "cannot become \(user.name): \(reason)",
                remedy: "run the restore as \(user.name) itself")
        }
        // The old working directory may be closed to the user, and the server inherits it.
        _ = unsafe chdir("/")
    }
}
