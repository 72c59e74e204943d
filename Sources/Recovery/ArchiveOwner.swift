import Glibc
package import Model
import Platform

/// Who may write to the archive, after a restore that was run as root has become another user: it
/// notes there how long it took.
package struct ArchiveOwner: Sendable {
    let uid: uid_t
    let gid: gid_t
    private let user: UserIdentity

    /// Nil where it is no folder of this machine.
    init?(_ folder: String?, besides user: UserIdentity) {
        var facts = stat()
        guard let folder, unsafe stat(folder, &facts) == 0 else { return nil }
        uid = facts.st_uid
        gid = facts.st_gid
        self.user = user
    }

    /// Runs `body` as the owner, on every thread of the process, and comes back.
    package func act(_ body: () throws(TidemarkError) -> Void) throws(TidemarkError) {
        defer {
            precondition(
                seteuid(user.uid) == 0 && setegid(user.gid) == 0,
                "a process may always become its own real user")
        }
        guard setegid(gid) == 0, seteuid(uid) == 0 else {
            let reason = unsafe String(cString: strerror(errno))
            throw TidemarkError(.failed, "cannot become the owner of the archive: \(reason)")
        }
        try body()
    }
}
