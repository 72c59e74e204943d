import Model

/// The source's clock minus this machine's monotonic one, which never steps. Pure.
///
/// A source reads its clock somewhere between question and answer, so each look tells two bounds,
/// as far apart as the round trip took. A slow look tells nothing that a quick one before it did
/// not: bounds are kept as long as looks agree with them, and only widen by what a clock drifts.
/// Where a look contradicts them a clock was set, and it alone counts.
struct ClockOffset: Sendable, Hashable {
    /// Seconds per second; Linux slews by half of it at most (adjtimex(2)).
    static let driftRate = 0.001

    /// In microseconds, both.
    private var least: Int64
    private var most: Int64
    /// When they were right.
    private var seen: MonotonicTime

    /// One look: `time` is what the source said.
    init(_ time: CommitTime, asked: MonotonicTime, answered: MonotonicTime) {
        // Every number was cut to whole microseconds.
        least = time.microseconds &- Self.microseconds(answered) &- 1
        // What was so when it was asked may have drifted since.
        let drift = Self.drift(answered.seconds(since: asked))
        most = time.microseconds &- Self.microseconds(asked) &+ 1 &+ drift
        seen = answered
    }

    /// Takes the next look.
    mutating func take(_ look: ClockOffset) {
        let known = widened(to: look.seen)
        let both = (least: max(known.least, look.least), most: min(known.most, look.most))
        guard both.least <= both.most else {
            self = look
            return
        }
        (least, most, seen) = (both.least, both.most, look.seen)
    }

    /// What the source's clock shows at `now`, between these two.
    func time(at now: MonotonicTime) -> ClosedRange<CommitTime> {
        let known = widened(to: now)
        let now = Self.microseconds(now)
        return CommitTime(
            microseconds: now &+ known.least)...CommitTime(
                microseconds: now &+ known.most)
    }

    private func widened(to now: MonotonicTime) -> (least: Int64, most: Int64) {
        let drift = Self.drift(now.seconds(since: seen))
        return (least &- drift, most &+ drift)
    }

    /// In so many seconds, in microseconds.
    private static func drift(_ seconds: Double) -> Int64 {
        Int64((min(max(0, seconds), 1e9) * driftRate * 1e6).rounded(.up))
    }

    private static func microseconds(_ time: MonotonicTime) -> Int64 {
        Int64(time.nanoseconds / 1000)
    }
}

/// When something came, by the source's clock.
struct Arrival: Sendable, Hashable {
    /// The likeliest, or where the clock is known badly the latest.
    let time: CommitTime
    /// The earliest that it may have been.
    let earliest: CommitTime
    /// Whether the difference has to be noted.
    let isCoarse: Bool

    /// The time index promises no finer times than this, in microseconds.
    private static let coarseness: Int64 = 250_000

    init(_ bounds: ClosedRange<CommitTime>) {
        let width = bounds.upperBound.microseconds - bounds.lowerBound.microseconds
        isCoarse = width > Self.coarseness
        earliest = bounds.lowerBound
        time =
            isCoarse
            ? bounds.upperBound
            : CommitTime(microseconds: bounds.lowerBound.microseconds + width / 2)
    }

    /// What goes into the archive's note when what came had waited since `late`, if it had.
    func earliest(late: CommitTime?) -> CommitTime? {
        guard isCoarse else { return late }
        return min(late ?? earliest, earliest)
    }
}
