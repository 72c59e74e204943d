package import Model
import Glibc

/// How a bounded wait on a socket ended.
package enum SocketWait: Sendable, Equatable {
    case ready, woken, timeout

    /// Waits on a socket and the wake signal.
    ///
    /// - Parameters:
    ///   - events: of poll(2): POLLIN, POLLOUT.
    ///   - wake: cleared when it has been raised.
    ///   - seconds: below zero count as zero; at most a day.
    package static func wait(
        _ socket: Int32, _ events: Int32, _ wake: WakeSignal?, seconds: Double
    ) throws(TidemarkError) -> SocketWait {
        var waits = InlineArray<2, pollfd>(repeating: pollfd(fd: -1, events: 0, revents: 0))
        waits[0] = pollfd(fd: socket, events: Int16(events), revents: 0)
        waits[1] = pollfd(fd: wake?.descriptor ?? -1, events: Int16(POLLIN), revents: 0)
        let milliseconds = Int32(max(0, min(seconds, 86_400) * 1000).rounded(.up))
        var span = waits.mutableSpan
        let count = unsafe span.withUnsafeMutableBufferPointer {
            unsafe poll($0.baseAddress, 2, milliseconds)
        }
        guard count >= 0 || errno == EINTR else {
            throw TidemarkError(.failed, "poll failed with errno \(errno)")
        }
        if count <= 0 { return .timeout }
        if waits[1].revents != 0 {
            wake?.clear()
            return .woken
        }
        return .ready
    }

    /// Seconds of the monotonic clock, for the limits of such waits.
    package static func now() -> Double {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}
