package import Model
import Glibc

/// The clocks of the machine, as an argument, so that a test can move them.
package protocol TimeSource: Sendable {
    /// Never goes back; keeps counting while the machine sleeps.
    func monotonic() -> MonotonicTime
    /// Wall clock in UTC; may step.
    func wall() -> CommitTime
    /// Names the boot that `monotonic` counts from; empty when it cannot be known.
    var boot: String { get }
}

extension TimeSource {
    package var boot: String { "" }

    /// All clocks at this moment.
    package func reading() -> ClockReading {
        ClockReading(wall: wall(), uptime: monotonic(), boot: boot)
    }
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

    package var boot: String { Self.boot }

    /// The kernel's id of this boot; with it the time namespace, in which a container may have a
    /// monotonic clock of its own (time_namespaces(7)).
    private static let boot: String = {
        var bytes = [UInt8](repeating: 0, count: 128)
        let descriptor = unsafe open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        let count = unsafe Glibc.read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return "" }
        let id = String(decoding: bytes[..<count].filter { $0 > 0x20 }, as: UTF8.self)
        let length = unsafe bytes.withUnsafeMutableBytes { space in
            guard let start = space.baseAddress else { return 0 }
            return unsafe readlink(
                "/proc/self/ns/time", start.assumingMemoryBound(to: CChar.self), space.count)
        }
        return id + " " + String(decoding: bytes[..<max(0, length)], as: UTF8.self)
    }()

    private static func read(_ clock: clockid_t) -> timespec {
        var now = timespec()
        let status = unsafe clock_gettime(clock, &now)
        precondition(status == 0, "clock_gettime failed")
        return now
    }
}
