import Glibc

/// To whom a file or folder belongs, for a message that says who may use it.
package struct FileOwner: Hashable, Sendable {
    /// A number where there is no name.
    package let user: String
    package let group: String

    /// Nil for a path that cannot be looked up.
    package init?(of path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        user = UserIdentity.name(of: status.st_uid)
        group = UserIdentity.groupName(of: status.st_gid) ?? String(status.st_gid)
    }
}
