package import Model

/// Decides when a source's next base backup is taken. Pure: every answer follows from what it was
/// told and the time it is asked at.
///
/// * The first one is taken by itself, as soon as the stream runs.
/// * Later ones follow the schedule. Runs that were missed while nobody was there are caught up by
///   one base backup, not by one each; runs that pass while one is being taken count as done.
/// * One that is needed (after a gap, on a new timeline) is taken at once.
/// * After a failure it is tried again after a minute, then two, four … at most an hour.
///
/// Times are of the sidecar's wall clock, which may step: ask again at least once a minute instead
/// of waiting through, and never believe a time in the future.
package struct BackupSchedule: Sendable {
    static let firstRetrySeconds = 60.0
    static let lastRetrySeconds = 3600.0

    private let schedule: Schedule?
    /// When this process began to watch; runs before it were missed.
    private let since: CommitTime
    private var failures = 0
    private var lastFailure: CommitTime?
    private var lastEnd: CommitTime?

    /// - Parameter schedule: nil takes only what is needed.
    package init(_ schedule: Schedule?, since: CommitTime) {
        self.schedule = schedule
        self.since = since
    }

    /// What is known of the source's base backups at one moment.
    package struct Situation: Sendable {
        /// `started` of the newest finished base backup; nil when there is none.
        package var newestStarted: CommitTime?
        /// One is being taken, here or in another process.
        package var isRunning: Bool
        /// Why one is needed whatever the schedule says.
        package var needed: String?

        package init(newestStarted: CommitTime?, isRunning: Bool, needed: String?) {
            self.newestStarted = newestStarted
            self.isRunning = isRunning
            self.needed = needed
        }
    }

    package enum Reason: Sendable, Hashable, CustomStringConvertible {
        case first
        case needed(String)
        case scheduled(CommitTime)
        case missed(CommitTime)

        package var description: String {
            switch self {
            case .first: "the first base backup of this archive"
            case .needed(let why): why
            case .scheduled(let run): "scheduled for \(run.text(fractionDigits: 0))"
            case .missed(let run): "missed at \(run.text(fractionDigits: 0))"
            }
        }
    }

    package enum Decision: Sendable, Hashable {
        case takeNow(Reason)
        /// Nil when nothing is planned: only a change of the situation brings one.
        case wait(until: CommitTime?)
    }

    package func decide(_ situation: Situation, now: CommitTime) -> Decision {
        guard !situation.isRunning else { return .wait(until: nil) }
        guard let reason = reason(situation, now) else {
            return .wait(until: schedule?.next(after: now))
        }
        if let retry = retryTime(now), retry > now { return .wait(until: retry) }
        return .takeNow(reason)
    }

    /// One was taken; runs up to `now` are done.
    package mutating func finished(now: CommitTime) {
        failures = 0
        lastFailure = nil
        lastEnd = now
    }

    /// One failed; the next is not tried before the waiting time is over.
    package mutating func failed(now: CommitTime) {
        failures += 1
        lastFailure = now
    }

    private func reason(_ situation: Situation, _ now: CommitTime) -> Reason? {
        guard let newest = situation.newestStarted else { return .first }
        if let needed = situation.needed { return .needed(needed) }
        // The run of this very moment counts.
        let justAfter = CommitTime(microseconds: now.microseconds + 1)
        guard let run = schedule?.previous(before: justAfter), run > done(newest, now) else {
            return nil
        }
        return run < since ? .missed(run) : .scheduled(run)
    }

    /// Up to when runs are done. A base backup from the future was stamped by a wrong clock: then
    /// only what this process saw counts, or none would be taken until that day.
    private func done(_ newest: CommitTime, _ now: CommitTime) -> CommitTime {
        let known = newest > now ? since : newest
        guard let lastEnd, lastEnd <= now else { return known }
        return max(known, lastEnd)
    }

    /// When a failed one is tried again.
    func retryTime(_ now: CommitTime) -> CommitTime? {
        // A failure from the future: the clock was set back.
        guard let lastFailure, lastFailure <= now else { return nil }
        let doublings = Double(UInt64(1) << UInt64(min(failures - 1, 20)))
        return lastFailure.advanced(
            bySeconds: min(Self.lastRetrySeconds, Self.firstRetrySeconds * doublings))
    }
}
