import Model
import Platform

/// What `status` says of the base backup that is being taken, or that failed last. Pure.
struct BackupSight: Sendable {
    private enum Step { case idle, copying(UInt64), waiting }

    /// Without any progress for this long, a base backup is stalled.
    static let stallSeconds = 30.0

    private var step = Step.idle
    private var moved = MonotonicTime(nanoseconds: 0)
    private var failed: (at: CommitTime, words: String)?

    mutating func began(_ now: MonotonicTime) {
        step = .copying(0)
        moved = now
    }

    /// - Parameter bytes: read from the source so far.
    mutating func copied(_ bytes: UInt64, _ now: MonotonicTime) {
        step = .copying(bytes)
        moved = now
    }

    /// All is copied; the stream has yet to archive what it needs.
    mutating func waits(_ now: MonotonicTime) {
        step = .waiting
        moved = now
    }

    mutating func finished() { self = BackupSight() }

    /// - Parameter retry: when it is tried again.
    mutating func failed(_ error: TidemarkError, at now: CommitTime, retry: CommitTime?) {
        step = .idle
        var words = "the base backup failed at \(now.text(fractionDigits: 0)): \(error.message)"
        if !error.remedy.isEmpty { words += " (\(error.remedy))" }
        if let retry { words += "; it is tried again at \(retry.text(fractionDigits: 0))" }
        failed = (now, words)
    }

    /// The archive's newest base backup: one that another process took makes good a failure.
    mutating func found(_ newest: CommitTime?) {
        if let failed, let newest, newest > failed.at { self.failed = nil }
    }

    /// What is wrong; empty when nothing is.
    func trouble(_ now: MonotonicTime) -> String {
        let idle = now.seconds(since: moved)
        let isStalled = idle > Self.stallSeconds
        let seconds = Int(idle)
        switch step {
        case .copying(0) where isStalled:
            return "the base backup is stalled: the server has sent nothing for \(seconds) s, "
                + "perhaps because its checkpoint takes so long"
        case .copying(let bytes) where isStalled:
            return "the base backup is stalled: nothing has been copied for \(seconds) s, after "
                + "\(ByteCount(bytes))"
        case .waiting where isStalled:
            return "the base backup is copied, and has waited \(seconds) s for the stream to "
                + "archive what it needs"
        case .idle, .copying, .waiting: return failed?.words ?? ""
        }
    }
}
