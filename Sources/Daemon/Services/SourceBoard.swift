package import Model
import Monitoring
package import Platform
import Synchronization

/// What the threads of one source tell each other: stream, prober, backup and status meet here.
package final class SourceBoard: Sendable {
    /// The shared values; every change wakes whoever waits.
    struct State: Sendable {
        var tracker: ExposureTracker
        var seen: StreamObservation
        var timeline: TimelineID?
        var received: UInt64 = 0
        var archived: Position?
        /// Timelines that the source was on in this run and has left.
        var left: Set<TimelineID> = []
        var clockOffset: Double?
        var clockError: Double?
        var sourceWindow: SourceWindow?
        var reason = ""
        /// A base backup is needed for this reason, whatever the schedule says.
        var backupNeeded: String?
        var isRepositoryReachable = true
        /// Whether the stream has ever been open in this run.
        var wasConnected = false
        /// Why the last attempt to stream failed; nil while it streams.
        var failure: TidemarkError?
    }

    package let source: SourceID
    let monitor: Monitor<State>
    /// Somebody waits for the source's commits to be archived; assumed until the source says no.
    /// Outside the monitor, since the stream asks for it at every commit.
    let isWaitedFor = Atomic<Bool>(true)

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
            if let old = state.archived?.timeline, old != archived.timeline {
                state.left.insert(old)
                state.left.remove(archived.timeline)
            }
            state.archived = archived
            state.seen.archived = archived.ordinal
            state.seen.lastProgress = now
            state.tracker.advance(to: archived)
        }
    }

    func probed(_ probe: Probe, now: MonotonicTime) {
        if let waited = probe.isWaitedFor { isWaitedFor.store(waited, ordering: .relaxed) }
        monitor.update { state in
            state.seen.lastAnswer = now
            state.seen.bound = probe.bound
            state.tracker.add(probe, archived: state.archived)
            if let archived = state.archived, probe.timeline == archived.timeline,
                archived.ordinal >= probe.flushed ?? probe.bound
            {
                state.seen.lastProgress = now
            }
            guard let source = probe.sourceTime else { return }
            // The source read its clock between the question and the answer.
            let error = probe.answered.seconds(since: probe.asked)
            state.clockOffset = source.seconds(since: probe.askedWall) - error / 2
            state.clockError = error / 2
        }
    }

    /// Returns once everything of `range` is archived.
    ///
    /// Throws when the stream was refused, when the source has left the range's timeline before
    /// its end was archived, when nothing has moved for `stallSeconds`, or with `cancelled`.
    package func waitArchived(
        _ range: PositionRange, stallSeconds: Double, clock: any TimeSource,
        shouldStop: () -> Bool
    ) throws(TidemarkError) {
        var seen: Position?
        var moved = clock.monotonic()
        while true {
            let step = monitor.wait(seconds: 1) { Self.step($0, toward: range) }
            switch step {
            case .reached: return
            case .failed(let error): throw error
            case nil: break
            }
            if shouldStop() { throw TidemarkError(.cancelled, "the work was stopped") }
            let archived = monitor.read { $0.archived }
            if archived != seen { moved = clock.monotonic() }
            seen = archived
            guard clock.monotonic().seconds(since: moved) < stallSeconds else {
                throw incomplete("the stream has not moved for \(Int(stallSeconds)) s")
            }
        }
    }

    private enum Step: Sendable { case reached, failed(TidemarkError) }

    private static func step(_ state: State, toward range: PositionRange) -> Step? {
        if let failure = state.failure, !failure.code.isRetryable { return .failed(failure) }
        guard let archived = state.archived else { return nil }
        if archived.timeline == range.timeline {
            return archived.ordinal >= range.last ? .reached : nil
        }
        // An older timeline is still being archived; a newer one means that ours has ended.
        let isNumbered = UInt64(range.timeline.name) != nil
        let hasEnded =
            isNumbered
            ? range.timeline < archived.timeline : state.left.contains(range.timeline)
        guard hasEnded else { return nil }
        return .failed(
            TidemarkError(
                .archiveIncomplete,
                "the source went from timeline \(range.timeline) to "
                    + "\(archived.timeline) meanwhile", remedy: "try again"))
    }

    private func incomplete(_ why: String) -> TidemarkError {
        TidemarkError(
            .archiveIncomplete, "the changes that \(source) needs were not archived: \(why)",
            remedy: "see why the stream does not move: tidemark status")
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
