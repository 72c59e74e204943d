/// A reading of the machine's monotonic clock; comparable only within one boot of one machine.
package struct MonotonicTime: Hashable, Sendable, Comparable {
    package let nanoseconds: UInt64

    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    package static func < (a: MonotonicTime, b: MonotonicTime) -> Bool {
        a.nanoseconds < b.nanoseconds
    }

    /// Seconds from `other` to `self`; negative when `other` is later.
    package func seconds(since other: MonotonicTime) -> Double {
        nanoseconds >= other.nanoseconds
            ? Double(nanoseconds - other.nanoseconds) / 1e9
            : -Double(other.nanoseconds - nanoseconds) / 1e9
    }

    /// Later by `seconds`; negative moves back, never below zero, infinity to the end of time.
    package func advanced(bySeconds seconds: Double) -> MonotonicTime {
        let delta = seconds * 1e9
        let size = UInt64(exactly: abs(delta).rounded(.down)) ?? .max
        let (sum, overflows) = nanoseconds.addingReportingOverflow(size)
        if delta >= 0 { return MonotonicTime(nanoseconds: overflows ? .max : sum) }
        return MonotonicTime(nanoseconds: nanoseconds > size ? nanoseconds - size : 0)
    }
}
