package import Model
import Platform

/// Clocks that stand still until a test moves them.
package final class SimulatedTime: TimeSource {
    private struct State: Sendable {
        var monotonic: MonotonicTime
        var wall: CommitTime
        var boots = 1
    }

    private let state: Monitor<State>

    /// Default start: 2026-11-22T12:00:00Z, 1000 s after boot.
    package init(
        wall: CommitTime = CommitTime(microseconds: 1_795_348_800_000_000),
        monotonic: MonotonicTime = MonotonicTime(nanoseconds: 1_000_000_000_000)
    ) {
        state = Monitor(State(monotonic: monotonic, wall: wall))
    }

    package func monotonic() -> MonotonicTime { state.read { $0.monotonic } }
    package func wall() -> CommitTime { state.read { $0.wall } }
    package var boot: String { state.read { "boot \($0.boots)" } }

    /// The machine starts anew: the monotonic clock with it, the wall clock goes on.
    package func reboot() {
        state.update {
            $0.boots += 1
            $0.monotonic = MonotonicTime(nanoseconds: 1_000_000_000)
        }
    }

    /// Time passes: both clocks go on.
    package func advance(_ seconds: Double) {
        precondition(seconds >= 0, "time does not run backwards")
        state.update {
            $0.monotonic = $0.monotonic.advanced(bySeconds: seconds)
            $0.wall = $0.wall.advanced(bySeconds: seconds)
        }
    }

    /// Somebody sets the wall clock; negative sets it back.
    package func stepWall(_ seconds: Double) {
        state.update { $0.wall = $0.wall.advanced(bySeconds: seconds) }
    }
}
