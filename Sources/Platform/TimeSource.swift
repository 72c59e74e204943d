package import Model
import Glibc

/// The clocks of the machine, as an argument, so that a test can move them.
package protocol TimeSource: Sendable {
    /// Never goes back; keeps counting while the machine sleeps.
    func monotonic() -> MonotonicTime
    /// Wall clock in UTC; may step.
    func wall() -> CommitTime
}

/// The real clocks: CLOCK_BOOTTIME and CLOCK_REALTIME.
package struct SystemTimeSource: TimeSource {
    package init() {}

    package func monotonic() -> MonotonicTime {
        let now = Self.read(CLOCK_BOOTTIME)
        return MonotonicTime(nanoseconds: UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec))
    }

    package func wall() -> CommitTime {
        let now = Self.read(CLOCK_REALTIME)
        return CommitTime(microseconds: Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000)
    }

    private static func read(_ clock: clockid_t) -> timespec {
        var now = timespec()
        let status = unsafe clock_gettime(clock, &now)
        precondition(status == 0, "clock_gettime failed")
        return now
    }
}
