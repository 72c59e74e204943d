package import Model
import Glibc

/// What the file system knows of a file.
package struct FileStatus: Hashable, Sendable {
    package let size: UInt64
    /// Device and inode: two paths with the same pair are the same file.
    package let device: UInt64
    package let inode: UInt64
    package let modified: CommitTime
    package let isDirectory: Bool
    package let isRegularFile: Bool
    /// Owner's user id.
    package let owner: UInt32
    /// Permission bits, `0o640`.
    package let mode: UInt32

    init(_ status: stat) {
        size = UInt64(max(0, status.st_size))
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        modified = CommitTime(
            microseconds: Int64(status.st_mtim.tv_sec) * 1_000_000
                + Int64(status.st_mtim.tv_nsec) / 1000)
        isDirectory = status.st_mode & S_IFMT == S_IFDIR
        isRegularFile = status.st_mode & S_IFMT == S_IFREG
        owner = status.st_uid
        mode = UInt32(status.st_mode) & 0o7777
    }

    package var identity: FileIdentity { FileIdentity(device: device, inode: inode) }

    package func isSameFile(as other: FileStatus) -> Bool { identity == other.identity }
}

/// Two paths with the same identity are the same file.
package struct FileIdentity: Hashable, Sendable {
    package let device: UInt64
    package let inode: UInt64
}
