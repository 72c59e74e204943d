package import Model

/// Turns probes and archived positions into the proved frontier of one source. Pure.
///
/// A probe says: once everything below `bound` is durable, every commit up to its time is. The
/// tracker keeps the probes that wait for their bound, and of those fulfilled only the newest.
/// Nothing else ever moves the frontier: no probe, no progress, and the exposure grows.
package struct ExposureTracker: Sendable {
    /// The newest proof that has been fulfilled.
    package struct Proof: Sendable, Hashable {
        /// Source clock; the sidecar's wall clock where the source tells no time.
        package var restorableTo: CommitTime
        package var asked: MonotonicTime
        package var askedWall: CommitTime
        /// Seconds that the proof was older than `asked`: for one of an earlier boot, which this
        /// boot's clock cannot name.
        package var lead = 0.0
    }

    /// Probes that may wait at once; when full, every second one is dropped, oldest kept.
    package static let waitingLimit = 600

    package private(set) var proof: Proof?
    private var waiting: [Probe] = []
    /// Where the source's clock stands.
    package private(set) var clock = SourceClock()

    package init() {}

    /// Continues from a persisted watermark; `now` are this process's clocks.
    ///
    /// Where they do not tell how old the proof is, it is dropped: the next probe makes a new one.
    package init(_ watermark: Watermark?, now: ClockReading) {
        clock = SourceClock(
            wallOffsetSeconds: watermark?.clockOffsetSeconds,
            errorSeconds: watermark?.clockErrorSeconds, now: now)
        guard let watermark, let restorableTo = watermark.restorableTo,
            let provedAt = watermark.provedAt, let age = watermark.exposure(now)
        else { return }
        let isOfThisBoot = !now.boot.isEmpty && now.boot == watermark.boot
        if isOfThisBoot, let asked = watermark.provedUptime {
            proof = Proof(
                restorableTo: restorableTo, asked: MonotonicTime(nanoseconds: asked),
                askedWall: provedAt)
        } else if isOfThisBoot, let taken = watermark.takenUptime,
            let lead = watermark.takenSeconds
        {
            proof = Proof(
                restorableTo: restorableTo, asked: MonotonicTime(nanoseconds: taken),
                askedWall: provedAt, lead: lead)
        } else {
            proof = Proof(
                restorableTo: restorableTo, asked: now.uptime, askedWall: provedAt, lead: age)
        }
    }

    /// A new probe; fulfilled at once when its bound is archived already.
    package mutating func add(_ probe: Probe, archived: Position?) {
        if waiting.count >= Self.waitingLimit {
            waiting = waiting.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        }
        waiting.append(stamped(probe))
        if let archived { advance(to: archived) }
    }

    /// The probe with the stamp that its proof may carry. A clock that went back takes back what
    /// was claimed in its name: commits get those stamps once more.
    private mutating func stamped(_ probe: Probe) -> Probe {
        guard let time = probe.sourceTime else { return probe }
        var probe = probe
        switch clock.read(time, probe) {
        case .time(let trusted): probe.sourceTime = trusted
        case .back(let time, let limit):
            probe.sourceTime = time
            for place in waiting.indices {
                waiting[place].sourceTime = waiting[place].sourceTime.map { min($0, limit) }
            }
            if let claimed = proof?.restorableTo { proof?.restorableTo = min(claimed, limit) }
        }
        return probe
    }

    /// Everything below `archived` on its timeline is durable.
    package mutating func advance(to archived: Position) {
        var fulfilled: Probe?
        waiting.removeAll { probe in
            guard Self.isFulfilled(probe, archived) else { return false }
            if fulfilled.map({ $0.asked <= probe.asked }) ?? true { fulfilled = probe }
            return true
        }
        guard let fulfilled, proof.map({ $0.asked <= fulfilled.asked }) ?? true else { return }
        proof = Proof(
            restorableTo: fulfilled.sourceTime ?? fulfilled.askedWall, asked: fulfilled.asked,
            askedWall: fulfilled.askedWall)
    }

    /// Forgets the probes that wait: the source is not the one they were asked of, or its history
    /// is not the one that they were about. What was proved stays proved.
    package mutating func voidWaiting() { waiting = [] }

    /// Seconds since the newest proof was asked for; nil before the first.
    package func exposure(_ now: MonotonicTime) -> Double? {
        proof.map { max(0, now.seconds(since: $0.asked)) + $0.lead }
    }

    /// The bound the archive has to reach next; nil when nothing waits.
    package var nextBound: UInt64? { waiting.first?.bound }

    /// A probe of an older timeline is fulfilled by the newer one's position only through its own
    /// timeline: after a switch the old probes are void, since their bound may lie beyond the fork.
    private static func isFulfilled(_ probe: Probe, _ archived: Position) -> Bool {
        probe.timeline == archived.timeline && archived.ordinal >= probe.bound
    }
}
