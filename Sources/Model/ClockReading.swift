/// The clocks of a machine at one moment.
///
/// Wall clocks step and differ between machines; a monotonic clock means something only within one
/// boot. So both are kept, with the boot that the monotonic one counts from.
package struct ClockReading: Hashable, Sendable {
    package var wall: CommitTime
    /// Since the boot.
    package var uptime: MonotonicTime
    /// Names the boot; empty when it is not known, and then only the wall clock counts.
    package var boot: String

    /// How far two wall clocks may differ before one of them is taken for wrong.
    package static let toleranceSeconds = 1.0

    package init(wall: CommitTime, uptime: MonotonicTime, boot: String) {
        self.wall = wall
        self.uptime = uptime
        self.boot = boot
    }

    /// Seconds from `earlier` to this moment, never negative; nil when it cannot be known, since
    /// the earlier moment lies in the future.
    package func seconds(since earlier: ClockReading) -> Double? {
        let passed =
            !boot.isEmpty && boot == earlier.boot
            ? uptime.seconds(since: earlier.uptime) : wall.seconds(since: earlier.wall)
        return passed < -Self.toleranceSeconds ? nil : max(0, passed)
    }
}
