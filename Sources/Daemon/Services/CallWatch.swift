import Model
import Synchronization

/// Since when a call that may hang is under way; asked by other threads.
///
/// A call that fails says so by itself. One that hangs says nothing, and only others can tell.
final class CallWatch: Sendable {
    /// A call that takes longer than this many seconds gets no answer.
    static let patience = 5.0

    /// Nanoseconds; 0 between two calls.
    private let began = Atomic<UInt64>(0)

    func begin(_ now: MonotonicTime) { began.store(now.nanoseconds, ordering: .relaxed) }
    func end() { began.store(0, ordering: .relaxed) }

    /// Whether a call has been under way for longer than so many seconds.
    func isOpen(longerThan seconds: Double, _ now: MonotonicTime) -> Bool {
        let nanoseconds = began.load(ordering: .relaxed)
        return nanoseconds > 0
            && now.seconds(since: MonotonicTime(nanoseconds: nanoseconds)) > seconds
    }

    /// How long the call has gone without an answer; nil when none has for too long.
    func silence(_ now: MonotonicTime) -> Double? {
        let nanoseconds = began.load(ordering: .relaxed)
        guard nanoseconds > 0 else { return nil }
        let seconds = now.seconds(since: MonotonicTime(nanoseconds: nanoseconds))
        return seconds > Self.patience ? seconds : nil
    }
}
