import Glibc
import Model
import Platform

/// Who holds a lease: the content of its object.
struct LeaseHolder: Hashable, Sendable, Codable {
    var host: String
    var process: Int32
    /// Counts within the process, so that two attempts of one process never look alike.
    var attempt: Int
    var started: CommitTime
    /// Heartbeat only: when the holder was last known to live.
    var renewed: CommitTime

    private static let attempts = Monitor(0)

    static func current(_ now: CommitTime) -> LeaseHolder {
        let attempt = attempts.update { count in
            count += 1
            return count
        }
        return LeaseHolder(
            host: hostName(), process: getpid(), attempt: attempt, started: now, renewed: now)
    }

    private static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "this host" }
        return String(
            decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
