import Model
import Platform

/// What the stream and the side connection of one source tell each other.
final class RoomState: Sendable {
    struct Values: Sendable {
        var clock: ClockOffset?
        var lastGetAck: MonotonicTime?
        /// Positions that were lost: what the stream is at, for the window of the backlog.
        var received: Position?
        /// When full resyncs were asked for within the last hour: seconds of the monotonic clock,
        /// below zero for those before the machine was started.
        var fullResyncs: [Double] = []
        /// What earlier processes have asked for is among them.
        var hasRecalled = false
    }

    /// Each costs the source a fork and a read of all its memory.
    static let fullResyncsPerHour = 12

    private let values = Monitor(Values())

    func update<R>(_ body: (inout Values) -> R) -> R { values.update(body) }
    func read<R>(_ body: (Values) -> R) -> R { values.read(body) }

    /// Counts a full resync that is about to be asked for. Throws `sourceUnreachable` when there
    /// were too many within the last hour.
    func countFullResync(_ now: MonotonicTime, place: String) throws(TidemarkError) {
        let now = Self.seconds(now)
        let allowed = update { values in
            values.fullResyncs.removeAll { now - $0 > Self.hour }
            guard values.fullResyncs.count < Self.fullResyncsPerHour else { return false }
            values.fullResyncs.append(now)
            return true
        }
        guard allowed else {
            throw TidemarkError(
                .sourceUnreachable,
                "Redis at \(place) had \(Self.fullResyncsPerHour) full resyncs "
                    + "for this archive within an hour; no more are asked for now",
                remedy: "find out why it keeps dropping the stream: see its log, "
                    + "`client-output-buffer-limit replica` and `repl-backlog-size`")
        }
    }

    private static let hour = 3600.0
    private static let slack = 60.0

    private static func seconds(_ time: MonotonicTime) -> Double { Double(time.nanoseconds) / 1e9 }

    /// Counts what the archive shows of earlier processes, once: the limit is the archive's, and a
    /// sidecar that is started again and again keeps to it.
    func recall(_ copies: [CommitTime], _ time: any TimeSource) {
        let (wall, now) = (time.wall(), Self.seconds(time.monotonic()))
        update { values in
            guard !values.hasRecalled else { return }
            values.hasRecalled = true
            let ages = copies.map { wall.seconds(since: $0) }
            // Several base backups of one second are given times of their own, a little ahead.
            let recent = ages.filter { (-Self.slack...Self.hour).contains($0) }
            values.fullResyncs = recent.map { now - max(0, $0) } + values.fullResyncs
        }
    }

    /// Takes what the source said to TIME.
    func saw(_ look: ClockOffset) {
        update {
            if $0.clock == nil { $0.clock = look } else { $0.clock?.take(look) }
        }
    }

    /// Something comes just now: when that is by the source's clock; by ours where that was never
    /// measured.
    func arrival(_ time: any TimeSource) -> Arrival {
        if let clock = read({ $0.clock }) { return Arrival(clock.time(at: time.monotonic())) }
        let wall = time.wall()
        return Arrival(wall...wall)
    }
}
