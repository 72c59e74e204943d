import Model
import Platform

/// What the stream and the side connection of one source tell each other.
final class RoomState: Sendable {
    /// What all data, or a fork of the server, is asked for. Each has a limit of its own, so that
    /// base backups never hold up the stream.
    enum Copy: Sendable { case stream, baseBackup }

    struct Values: Sendable {
        var clock: ClockOffset?
        var lastGetAck: MonotonicTime?
        /// Whether the server answered last and neither INFO nor ROLE told us its end.
        var isUnproved = false
        /// Positions that were lost: what the stream is at, for the window of the backlog.
        var received: Position?
        /// When full resyncs of each kind were asked for within the last hour: seconds of the
        /// monotonic clock, below zero for those before the machine was started.
        var fullResyncs: [Copy: [Double]] = [:]
        /// What earlier processes have asked for is among them.
        var hasRecalled = false
    }

    /// Each costs the source a fork and a read of all its memory.
    static let fullResyncsPerHour = 12

    private let values = Monitor(Values())

    func update<R>(_ body: (inout Values) -> R) -> R { values.update(body) }
    func read<R>(_ body: (Values) -> R) -> R { values.read(body) }

    /// Counts a full resync that is about to be asked for. Throws `sourceUnreachable` when there
    /// were too many of its kind within the last hour.
    func countFullResync(
        for copy: Copy = .stream, _ now: MonotonicTime, place: String
    ) throws(TidemarkError) {
        let now = Self.seconds(now)
        let allowed = update { values in
            var asked = values.fullResyncs[copy] ?? []
            asked.removeAll { now - $0 > Self.hour }
            let isAllowed = asked.count < Self.fullResyncsPerHour
            if isAllowed { asked.append(now) }
            values.fullResyncs[copy] = asked
            return isAllowed
        }
        guard !allowed else { return }
        switch copy {
        case .stream:
            throw TidemarkError(
                .sourceUnreachable,
                "Redis at \(place) had \(Self.fullResyncsPerHour) full resyncs "
                    + "for this archive's stream within an hour; no more are asked for now",
                remedy: "find out why it keeps losing its history: see its log, "
                    + "`client-output-buffer-limit replica` and `repl-backlog-size`")
        case .baseBackup:
            throw TidemarkError(
                .sourceUnreachable,
                "Redis at \(place) was asked for \(Self.fullResyncsPerHour) base backups by this "
                    + "sidecar within an hour; no more are asked for now",
                remedy: "let the schedule take them less often; if they fail, see the log for "
                    + "why. The stream is archived meanwhile")
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
            // A clock that was set back a little does not hide them.
            let recent = ages.filter { (-Self.slack...Self.hour).contains($0) }
            values.fullResyncs[.stream, default: []] += recent.map { now - max(0, $0) }
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
