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
        var received: UInt64 = 0
        var archived: Position?
        /// The furthest that was ever acknowledged on its timeline: `archived` falls back while
        /// bytes are sent again.
        var acknowledged: Position?
        /// How far the open stream has got: sent by the source on this connection, compared with
        /// what the archive has, and durable. Nil while no stream is open. Only this fulfils a
        /// proof: an older position says nothing of whoever answers now.
        var verified: Position?
        /// Whose history the archive holds; nil before the first contact.
        var identity: String?
        /// What is wrong with the last probe; empty when nothing is.
        var doubt = ""
        /// As the last probe's.
        var caveat = ""
        /// How long the source took for an answer, in seconds, and when; nil where it answers soon.
        var slowAnswer: (seconds: Double, at: MonotonicTime)?
        /// Timelines that the source was on in this run and has left.
        var left: Set<TimelineID> = []
        /// As `Watermark.lateUntil`.
        var lateUntil: CommitTime?
        var clockOffset: Double?
        var clockError: Double?
        var sourceWindow: SourceWindow?
        var reason = ""
        /// A base backup is needed for this reason, whatever the schedule says.
        var backupNeeded: String?
        var backup = BackupSight()
        var isRepositoryReachable = true
        /// The proof that stood when the repository took the watermark last. An idle source needs
        /// no byte to be archived for a new one, but an archive that is still there.
        var kept: ExposureTracker.Proof?
        /// The timeline of the watermark that this process has written last; nil before the first.
        var writtenTimeline: TimelineID?
        /// Whether this process is the one that archives the source; nothing is written before.
        var isOurs = false
        /// Whether the stream has ever been open in this run.
        var wasConnected = false
        /// Why the last attempt to stream failed; nil while it streams.
        var failure: TidemarkError?
        /// Goes up when the archive holds something that a status has to be read anew for: a base
        /// backup, a gap, another timeline.
        var changes = 0
    }

    package let source: SourceID
    let counters = SourceCounters()
    let monitor: Monitor<State>
    /// Somebody waits for the source's commits to be archived; assumed of a Postgres until it says
    /// no. Who waits for a Redis asks it for our exact position, and who waits for a MongoDB does
    /// not wait for us.
    /// Outside the monitor, since the stream asks for it at every commit.
    let isWaitedFor: Atomic<Bool>
    /// A question to the source, a flush, and the writing of the watermark.
    let asking = CallWatch()
    let flushing = CallWatch()
    let writing = CallWatch()

    /// Whether the source's positions count bytes; where they do not, the stream's sink counts.
    let countsBytes: Bool

    package init(_ source: SourceID, kind: DatabaseKind = .postgres, time: any TimeSource) {
        self.source = source
        countsBytes = kind != .mongodb
        isWaitedFor = Atomic(kind == .postgres)
        monitor = Monitor(
            State(
                tracker: ExposureTracker(),
                seen: StreamObservation(
                    lastProgress: time.monotonic(),
                    catchingUp: countsBytes
                        ? StreamState.catchingUpBytes : StreamState.catchingUpTime)))
    }
}

extension SourceBoard {
    /// How long the repository has been owing an answer; nil when it answers.
    func repositorySilence(_ now: MonotonicTime) -> Double? {
        [flushing.silence(now), writing.silence(now)].compactMap { $0 }.max()
    }

    /// How long the source has been owing an answer; nil when it answers.
    func sourceSilence(_ now: MonotonicTime) -> Double? { asking.silence(now) }

    /// This process archives the source from now on, from where the watermark says.
    func takeUp(_ watermark: Watermark?, _ now: ClockReading) {
        monitor.update { state in
            state.isOurs = true
            state.reason = ""
            state.tracker = ExposureTracker(watermark, now: now)
            state.kept = state.tracker.proof
            guard let watermark else { return }
            state.lateUntil = watermark.lateUntil
            state.received = watermark.archived
            state.archived = Position(timeline: watermark.timeline, ordinal: watermark.archived)
            state.acknowledged = Position(
                timeline: watermark.timeline, ordinal: watermark.claimed)
            state.seen.archived = watermark.archived
        }
    }

    /// Blocks until this process archives the source; false when it is to stop instead.
    func waitUntilOurs(_ stop: StopSignal) -> Bool {
        while !stop.isRaised {
            let isOurs = monitor.wait(seconds: 0.2) { $0.isOurs ? true : nil as Bool? }
            if isOurs != nil { return true }
        }
        return monitor.read { $0.isOurs }
    }
}

extension SourceBoard {
    /// The stream of the source with this identity is open.
    func connected(identity: String, now: MonotonicTime) {
        monitor.update { state in
            state.identity = identity
            state.seen.isConnected = true
            state.seen.lastProgress = now
            state.reason = ""
            state.failure = nil
            state.wasConnected = true
            state.changes += 1
        }
        counters.connected()
    }

    /// The stream is closed; it will be opened again.
    ///
    /// After a failure that no retry mends (another cluster, history that was lost or rewritten)
    /// the bounds read so far are of a history that the archive may never get.
    func disconnected(_ reason: String, _ failure: TidemarkError? = nil) {
        monitor.update { state in
            state.seen.isConnected = false
            state.verified = nil
            if failure != nil { counters.failed() }
            if let failure, !failure.code.isRetryable { state.tracker.voidWaiting() }
            state.reason = reason
            state.failure = failure
        }
    }

    func stopped(_ reason: String) {
        monitor.update { state in
            state.seen.isConnected = false
            state.seen.isStopped = true
            state.verified = nil
            state.reason = reason
        }
    }

    /// What came until now, by the source's clock, was made before; told before it is durable.
    func cameLate(_ until: CommitTime) {
        monitor.update { state in
            state.lateUntil = max(state.lateUntil ?? until, until)
        }
    }

    /// The stream goes on with another timeline, of which nothing has been archived in this run:
    /// known before anything of it is acknowledged or proved.
    func entered(_ start: Position) {
        monitor.update { state in
            guard state.archived?.timeline != start.timeline else { return }
            if let old = state.archived?.timeline {
                state.left.insert(old)
                state.left.remove(start.timeline)
                state.changes += 1
            }
            state.received = start.ordinal
            state.archived = start
            state.acknowledged = start
            state.seen.archived = start.ordinal
        }
    }

    /// The stream's positions after a flush or while bulk data passes.
    func progressed(received: UInt64, archived: Position, now: MonotonicTime) {
        monitor.update { state in
            if state.verified != archived {
                state.verified = archived
                state.tracker.advance(to: archived)
            }
            let isNews = state.archived != archived
            if countsBytes, let old = state.archived, old.timeline == archived.timeline {
                counters.add(
                    received: received - min(received, max(state.received, old.ordinal)),
                    archived: archived.ordinal - min(archived.ordinal, old.ordinal))
            }
            state.received = received
            guard isNews else { return }
            if let old = state.archived?.timeline, old != archived.timeline {
                state.left.insert(old)
                state.left.remove(archived.timeline)
                state.changes += 1
            }
            state.archived = archived
            if state.acknowledged?.timeline != archived.timeline
                || state.acknowledged?.ordinal ?? 0 < archived.ordinal
            {
                state.acknowledged = archived
            }
            state.seen.archived = archived.ordinal
            state.seen.lastProgress = now
        }
    }

    /// What the archive has to hold, as far as this process and the one before it know.
    var acknowledged: Position? { monitor.read { $0.acknowledged } }

    /// How far the open stream had got; to be read before a probe is asked for.
    var verified: Position? { monitor.read { $0.verified } }

    /// Takes a probe. Returns what is wrong with it, if anything.
    ///
    /// A number is too good as soon as it is about another history than the archive's. So a probe
    /// counts only when the archive's own source has answered, and is fulfilled only by what an
    /// open stream brings, since opening one checks identity, timeline and end. In between the
    /// server may be exchanged or rolled back: an end before what it had sent betrays it.
    ///
    /// - Parameter before: `verified` before the probe was asked for.
    @discardableResult
    func probed(_ probe: Probe, before: Position?, now: MonotonicTime) -> String? {
        monitor.update { state in
            // Before the first contact nobody knows whose answer this is.
            guard let identity = state.identity else { return nil }
            if let doubt = Self.doubt(probe, before, identity) {
                state.doubt = doubt
                state.tracker.voidWaiting()
                return doubt
            }
            state.doubt = ""
            state.caveat = probe.caveat
            if let waited = probe.isWaitedFor { isWaitedFor.store(waited, ordering: .relaxed) }
            state.seen.lastAnswer = now
            state.seen.bound = probe.bound
            state.seen.heartbeatSeconds = nil
            state.tracker.add(probe, archived: state.verified)
            if let archived = state.archived, probe.timeline == archived.timeline,
                archived.ordinal >= probe.flushed ?? probe.bound
            {
                state.seen.lastProgress = now
            }
            if let jump = state.tracker.clock.jumpSeconds {
                state.doubt = Self.text(jump: jump)
                return state.doubt
            }
            guard let source = probe.sourceTime else { return nil }
            // The source read its clock between the question and the answer.
            let error = probe.answered.seconds(since: probe.asked)
            state.clockOffset = source.seconds(since: probe.askedWall) - error / 2
            state.clockError = error / 2
            return nil
        }
    }

    private static func text(jump: Double) -> String {
        "the source's clock has jumped ahead by \((jump * 10).rounded() / 10) s; until it has kept "
            + "that for \(Int(SourceClock.trustSeconds)) s, restorable_to goes on without the jump"
    }

    /// The source did not answer.
    func unanswered(_ problem: String) {
        monitor.update { state in
            state.doubt = problem
            state.slowAnswer = nil
            state.seen.heartbeatSeconds = nil
        }
    }

    /// The source answered and does not tell its end. Whether an idle stream still lives is then
    /// seen by what it sends by itself, at most `heartbeat` seconds apart.
    func refused(_ problem: String, heartbeat: Double, now: MonotonicTime) {
        monitor.update { state in
            state.doubt = problem
            state.slowAnswer = nil
            state.seen.lastAnswer = now
            // What it told when it was allowed to is old.
            state.seen.bound = nil
            state.seen.heartbeatSeconds = heartbeat
        }
    }

    /// An answer that takes longer than this many seconds is slow.
    private static let slowSeconds = 1.0
    /// Seconds for which all answers have to come soon before a slow one is forgotten.
    private static let slowMemory = 5.0

    /// The source answered, and took so many seconds. Returns what is to be said of a slow one.
    ///
    /// Nothing is amiss with what it says, but a proof is as old as its question.
    func answered(within seconds: Double, now: MonotonicTime) -> String? {
        monitor.update { state in
            if seconds > Self.slowSeconds {
                state.slowAnswer = (seconds, now)
            } else if let slow = state.slowAnswer, now.seconds(since: slow.at) >= Self.slowMemory {
                state.slowAnswer = nil
            }
            return state.slowAnswer.map { _ in
                "the source takes more than a second to answer; what it could lose is known no "
                    + "sooner"
            }
        }
    }

    private static func doubt(
        _ probe: Probe, _ before: Position?, _ identity: String
    ) -> String? {
        if let found = probe.identity, found != identity {
            return "the server that answers is another one (\(found)) than the archive's "
                + "(\(identity))"
        }
        if let end = probe.end, let before, before.timeline == probe.timeline,
            end < before.ordinal
        {
            return "the source has gone back: it ends before what it had sent"
        }
        return nil
    }

    /// Up to when everything committed is archived before a gap that begins at the archive's end;
    /// nil when that is not known.
    ///
    /// A proof beyond that end speaks of bytes that the archive has lost since; one that lies more
    /// than a segment before it, not of what was archived without a sidecar.
    func proof(before gap: PositionRange, segmentBytes: UInt64) -> CommitTime? {
        monitor.read { state in
            guard let archived = state.archived, archived.timeline == gap.timeline,
                archived.ordinal <= gap.first, gap.first - archived.ordinal <= segmentBytes
            else { return nil }
            return state.tracker.proof?.restorableTo
        }
    }

    /// The state as `watermark.json` keeps it; nil before the first contact ever, and in a process
    /// that does not archive the source.
    func watermark(_ now: ClockReading) -> Watermark? {
        monitor.read { state in
            guard state.isOurs, let archived = state.archived else { return nil }
            let isHeld = !state.isRepositoryReachable || repositorySilence(now.uptime) != nil
            let proof = isHeld ? state.heldProof : state.tracker.proof
            let name = state.named(now.uptime, isHeld: isHeld)
            var mark = Watermark(
                // Never the next timeline with the position of the one before.
                timeline: archived.timeline, state: name,
                received: max(state.received, archived.ordinal), archived: archived.ordinal,
                acknowledged: state.acknowledged?.ordinal,
                restorableTo: proof?.restorableTo, provedAt: proof?.askedWall, written: now.wall,
                boot: now.boot, writtenUptime: now.uptime.nanoseconds,
                provedUptime: proof.flatMap { $0.lead > 0 ? nil : $0.asked.nanoseconds },
                clockOffsetSeconds: state.clockOffset, clockErrorSeconds: state.clockError,
                sourceWindow: state.sourceWindow,
                reason: state.words(name),
                backupTrouble: state.backup.trouble(now.uptime))
            mark.lateUntil = state.lateUntil
            if let proof, proof.lead > 0 {
                mark.takenUptime = proof.asked.nanoseconds
                mark.takenSeconds = proof.lead
            }
            return mark
        }
    }
}

extension SourceBoard.State {
    /// What there is to say of the source, the worst first.
    fileprivate func words(_ name: StreamState) -> String {
        if !reason.isEmpty { return reason }
        if !doubt.isEmpty { return doubt }
        // Why a stream is stalled is said in its place.
        guard let slowAnswer else { return name == .stalled ? "" : caveat }
        return "the database took \(HealthVerdict.seconds(slowAnswer.seconds)) to answer, and "
            + "what is proved is as old as the question"
    }

    /// What is proved while the repository takes nothing. A clock that went back takes it back too.
    fileprivate var heldProof: ExposureTracker.Proof? {
        guard var held = kept else { return nil }
        if let newest = tracker.proof?.restorableTo {
            held.restorableTo = min(held.restorableTo, newest)
        }
        return held
    }

    /// A source whose archive takes nothing stands still, however well it is received.
    fileprivate func named(_ now: MonotonicTime, isHeld: Bool) -> StreamState {
        let state = StreamState(seen, now: now)
        return isHeld && (state == .streaming || state == .catchingUp) ? .stalled : state
    }
}
