package import Model
import Glibc

/// A user of the operating system, to run a program as.
package struct UserIdentity: Hashable, Sendable {
    package let name: String
    package let uid: UInt32
    package let gid: UInt32

    /// Looks the user up. Throws `usage` when there is none of that name.
    package init(named name: String) throws(TidemarkError) {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var scratch = [CChar](repeating: 0, count: 16384)
        let status = unsafe getpwnam_r(name, &entry, &scratch, scratch.count, &found)
        guard status == 0, unsafe found != nil else {
            throw TidemarkError(
                .usage, "there is no user \(name) on this machine",
                remedy: "name an existing user; `getent passwd` lists them")
        }
        self.name = name
        uid = unsafe entry.pw_uid
        gid = unsafe entry.pw_gid
    }

    /// The user this process acts as, for a statement that is to be pasted; the number when it has
    /// no name.
    package static var currentName: String {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var scratch = [CChar](repeating: 0, count: 16384)
        let status = unsafe getpwuid_r(geteuid(), &entry, &scratch, scratch.count, &found)
        guard status == 0, unsafe found != nil, let name = unsafe entry.pw_name else {
            return String(geteuid())
        }
        return unsafe String(cString: name)
    }

    /// Whether this process runs as root and may therefore become another user.
    package static var isRoot: Bool { geteuid() == 0 }

    /// Whether this process runs as this user already.
    package var isCurrent: Bool { geteuid() == uid }
}
