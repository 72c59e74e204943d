import Platform
import Glibc

/// Names for files that are not finished: `.tmp-<pid>-<number>`.
///
/// They are opened with O_EXCL, so a name that another machine has on the same file server is
/// found out and passed over.
final class TemporaryNames: Sendable {
    static let prefix = ".tmp-"
    private static let counter = Monitor(UInt64(0))

    func next() -> String {
        let number = Self.counter.update { count in
            count += 1
            return count
        }
        return "\(Self.prefix)\(getpid())-\(number)"
    }
}
