package import Model
import Monitoring
package import Platform

/// What the threads of one source tell each other: stream, prober, backup and status meet here.
package final class SourceBoard: Sendable {
    /// The shared values; every change wakes whoever waits.
    struct State: Sendable {
        var tracker: ExposureTracker
        var seen: StreamObservation
        var timeline: TimelineID?
        var received: UInt64 = 0
        var archived: Position?
        var clockOffset: Double?
        var clockError: Double?
        var sourceWindow: SourceWindow?
        var reason = ""
        /// Somebody waits for the source's commits to be archived: flush whatever comes at once.
        var isWaitedFor = true
        /// A base backup is needed for this reason, whatever the schedule says.
        var backupNeeded: String?
        var isBackupRunning = false
        var isRepositoryReachable = true
        /// Whether the stream has ever been open in this run.
        var wasConnected = false
        /// Why the last attempt to stream failed; nil while it streams.
        var failure: TidemarkError?
    }

    package let source: SourceID
    let monitor: Monitor<State>

    package init(_ source: SourceID, watermark: Watermark?, time: any TimeSource) {
        self.source = source
        let now = time.monotonic()
        var state = State(
            tracker: ExposureTracker(watermark, now: now, wall: time.wall()),
            seen: StreamObservation(lastProgress: now))
        if let watermark {
            state.timeline = watermark.timeline
            state.received = watermark.archived
            state.archived = Position(timeline: watermark.timeline, ordinal: watermark.archived)
            state.seen.archived = watermark.archived
        }
        monitor = Monitor(state)
    }
}

extension SourceBoard {
    func connected(_ position: Position, now: MonotonicTime) {
        monitor.update { state in
            state.seen.isConnected = true
            state.seen.lastProgress = now
            state.timeline = position.timeline
            state.reason = ""
            state.failure = nil
            state.wasConnected = true
        }
    }

    /// The stream is closed; it will be opened again.
    func disconnected(_ reason: String, _ failure: TidemarkError? = nil) {
        monitor.update { state in
            state.seen.isConnected = false
            state.reason = reason
            state.failure = failure
        }
    }

    func stopped(_ reason: String) {
        monitor.update { state in
            state.seen.isConnected = false
            state.seen.isStopped = true
            state.reason = reason
        }
    }

    /// The stream's positions after a flush or while bulk data passes.
    func progressed(received: UInt64, archived: Position, now: MonotonicTime) {
        monitor.update { state in
            let isNews = state.archived != archived
            state.received = received
            state.timeline = archived.timeline
            guard isNews else { return }
            state.archived = archived
            state.seen.archived = archived.ordinal
            state.seen.lastProgress = now
            state.tracker.advance(to: archived)
        }
    }

    func probed(_ probe: Probe, now: MonotonicTime) {
        monitor.update { state in
            state.seen.lastAnswer = now
            state.seen.bound = probe.bound
            state.tracker.add(probe, archived: state.archived)
            if let archived = state.archived, probe.timeline == archived.timeline,
                archived.ordinal >= probe.flushed ?? probe.bound
            {
                state.seen.lastProgress = now
            }
            if let waited = probe.isWaitedFor { state.isWaitedFor = waited }
            guard let source = probe.sourceTime else { return }
            // The source read its clock between the question and the answer.
            let error = probe.answered.seconds(since: probe.asked)
            state.clockOffset = source.seconds(since: probe.askedWall) - error / 2
            state.clockError = error / 2
        }
    }

    /// Waits until everything below `position` is archived; false when the time is over or the
    /// stream has ended for good.
    package func waitArchived(_ position: Position, seconds: Double) throws(TidemarkError) -> Bool {
        let result: Result<Bool, TidemarkError>? = monitor.wait(seconds: seconds) { state in
            if let failure = state.failure, !failure.code.isRetryable { return .failure(failure) }
            guard let archived = state.archived, archived.timeline == position.timeline else {
                return nil
            }
            return archived.ordinal >= position.ordinal ? .success(true) : nil
        }
        return try result?.get() ?? false
    }

    /// The state as `watermark.json` keeps it; nil before the first contact ever.
    func watermark(now: MonotonicTime, wall: CommitTime) -> Watermark? {
        monitor.read { state in
            guard let timeline = state.timeline, let archived = state.archived else { return nil }
            return Watermark(
                timeline: timeline, state: StreamState(state.seen, now: now),
                received: max(state.received, archived.ordinal), archived: archived.ordinal,
                restorableTo: state.tracker.proof?.restorableTo,
                provedAt: state.tracker.proof?.askedWall, written: wall,
                clockOffsetSeconds: state.clockOffset, clockErrorSeconds: state.clockError,
                sourceWindow: state.sourceWindow, reason: state.reason)
        }
    }
}
