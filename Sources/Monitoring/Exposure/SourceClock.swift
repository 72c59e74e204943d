package import Model

/// The source's clock, as far as a proof may follow it. Pure.
///
/// A proof says "everything committed at or before S is archived". S is a stamp of the source's
/// clock, so it must be one that no later commit can get. A clock that jumps ahead and is set right
/// again breaks that: for a while commits get stamps from before S once more. Against this
/// machine's monotonic clock, which never steps, a jump shows as a change of the offset between the
/// two:
///
/// * A jump ahead is not followed until it has lasted for `trustSeconds`; S goes on with the old
///   offset. A smaller S is always sound.
/// * A jump back is followed at once, and what was claimed beyond it is taken back.
///
/// A source reads its clock between question and answer, so offsets are known within the round
/// trip; what lies within that, or within `toleranceSeconds`, is no jump.
package struct SourceClock: Sendable {
    /// What is no jump: besides this, a clock that drifts or is slewed moves by `driftRate`.
    package static let toleranceSeconds = 0.1
    /// A new offset that has lasted for so long is the clock's own.
    package static let trustSeconds = 60.0
    /// Seconds per second; Linux slews by half of it at most (adjtimex(2)).
    private static let driftRate = 0.001

    /// Source clock minus monotonic clock, in microseconds, as two bounds.
    private struct Offset {
        var least: Int64
        var most: Int64
    }

    /// Nil before the first probe.
    private var offset: Offset?
    /// A jump ahead that is not followed yet, and since when.
    private var doubtful: (offset: Offset, since: MonotonicTime)?
    private var last: MonotonicTime?

    package init() {}

    /// Continues from the offset to the wall clock that an earlier process measured, which is known
    /// within the error of its last look: on a busy machine that was a slow one.
    package init(wallOffsetSeconds: Double?, errorSeconds: Double? = nil, now: ClockReading) {
        // Damaged or absurd numbers are no offsets.
        guard let seconds = wallOffsetSeconds, abs(seconds) < 1e9 else { return }
        let known = Int64(seconds * 1e6) &+ Self.offset(now.wall, now.uptime)
        let error = Int64(max(0, min(errorSeconds ?? 0, 60)) * 1e6)
        offset = Offset(least: known &- error, most: known &+ error)
    }

    /// How far the source's clock stands ahead of where it should; nil when it is followed.
    package var jumpSeconds: Double? {
        guard let doubtful, let offset else { return nil }
        return Double(doubtful.offset.least &- offset.most) / 1e6
    }

    /// What a probe's clock means.
    package enum Reading: Hashable, Sendable {
        /// A stamp for the proof.
        case time(CommitTime)
        /// The clock went back: no stamp beyond `limit` holds any more.
        case back(CommitTime, limit: CommitTime)
    }

    /// Takes the next probe, in the order of asking; `time` is what the source said.
    package mutating func read(_ time: CommitTime, _ probe: Probe) -> Reading {
        let unseen = last.map { max(0, probe.answered.seconds(since: $0)) } ?? 0
        last = probe.answered
        let seen = Offset(
            least: Self.offset(time, probe.answered), most: Self.offset(time, probe.asked))
        guard let known = offset else {
            offset = seen
            return .time(time)
        }
        let drift = Int64(min(unseen, 1e9) * Self.driftRate * 1e6)
        let slack = drift + Int64(Self.toleranceSeconds * 1e6)
        if seen.least > known.most &+ slack {
            if isTrusted(seen, probe.answered) {
                offset = seen
                doubtful = nil
                return .time(time)
            }
            let held = CommitTime(microseconds: probe.asked.microseconds &+ known.most)
            return .time(min(time, held))
        }
        doubtful = nil
        if seen.most < known.least &- slack {
            offset = seen
            // When it went back is not known: at the earliest just after the last look.
            return .back(time, limit: time.advanced(bySeconds: -unseen))
        }
        let both = Offset(
            least: max(seen.least, known.least &- drift), most: min(seen.most, known.most &+ drift))
        offset = both.least <= both.most ? both : seen
        return .time(time)
    }

    /// Whether an offset ahead has lasted for long enough.
    private mutating func isTrusted(_ seen: Offset, _ now: MonotonicTime) -> Bool {
        let tolerance = Int64(Self.toleranceSeconds * 1e6)
        guard let known = doubtful, seen.most >= known.offset.least &- tolerance,
            seen.least <= known.offset.most &+ tolerance
        else {
            doubtful = (seen, now)
            return false
        }
        return now.seconds(since: known.since) >= Self.trustSeconds
    }

    private static func offset(_ time: CommitTime, _ monotonic: MonotonicTime) -> Int64 {
        time.microseconds &- monotonic.microseconds
    }
}

extension MonotonicTime {
    fileprivate var microseconds: Int64 { Int64(nanoseconds / 1000) }
}
