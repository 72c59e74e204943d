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
    package static var currentName: String { name(of: geteuid()) }

    /// The name of a user; the number when it has none.
    package static func name(of uid: UInt32) -> String {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var scratch = [CChar](repeating: 0, count: 16384)
        let status = unsafe getpwuid_r(uid, &entry, &scratch, scratch.count, &found)
        guard status == 0, unsafe found != nil, let name = unsafe entry.pw_name else {
            return String(uid)
        }
        return unsafe String(cString: name)
    }

    /// The name of a group; nil when it has none.
    package static func groupName(of gid: UInt32) -> String? {
        var entry = unsafe group()
        var found: UnsafeMutablePointer<group>?
        var scratch = [CChar](repeating: 0, count: 65536)
        let status = unsafe getgrgid_r(gid, &entry, &scratch, scratch.count, &found)
        guard status == 0, unsafe found != nil, let name = unsafe entry.gr_name else { return nil }
        return unsafe String(cString: name)
    }

    /// Whether this machine has a group of that name.
    package static func hasGroup(_ name: String) -> Bool {
        var entry = unsafe group()
        var found: UnsafeMutablePointer<group>?
        var scratch = [CChar](repeating: 0, count: 65536)
        let status = unsafe getgrnam_r(name, &entry, &scratch, scratch.count, &found)
        return unsafe status == 0 && found != nil
    }

    /// Whether this process runs as root and may therefore become another user.
    package static var isRoot: Bool { geteuid() == 0 }

    /// Whether this process runs as this user already.
    package var isCurrent: Bool { geteuid() == uid }
}
