package import Model
import Glibc

/// A system call that failed: which, on what, and the errno.
package struct SystemFailure: Error, Sendable, Hashable {
    package let call: SystemCall
    package let path: String
    package let number: Int32

    package init(_ call: SystemCall, _ path: String, _ number: Int32) {
        self.call = call
        self.path = path
        self.number = number
    }

    /// The file, or a folder on the way to it, does not exist.
    package var isAbsence: Bool { number == ENOENT || number == ENOTDIR }

    /// The C library's words for the errno.
    package var reason: String { unsafe String(cString: strerror(number)) }

    /// `cannot sync /x/y (No space left on device)`.
    package var message: String { "cannot \(call.rawValue) \(path) (\(reason))" }

    /// The error for files that are not part of a repository. Code `notFound` for ENOENT.
    package var asTidemarkError: TidemarkError {
        let remedy =
            switch number {
            case ENOENT: "check the path"
            case ENOSPC, EDQUOT: "free space on the file system of \(path)"
            case EACCES, EPERM: "give this user access to \(path)"
            case EROFS: "mount the file system of \(path) for writing"
            case EMFILE, ENFILE: "raise the limit of open files (ulimit -n)"
            case EIO: "check the disk; the kernel's messages (dmesg) name it"
            default: ""
            }
        return TidemarkError(number == ENOENT ? .notFound : .failed, message, remedy: remedy)
    }
}

/// Runs file work outside a repository and turns its failure into the program's error.
package func translated<Value: ~Copyable>(
    _ body: () throws(SystemFailure) -> Value
) throws(TidemarkError) -> Value {
    do throws(SystemFailure) {
        return try body()
    } catch {
        throw error.asTidemarkError
    }
}
