import Catalog
import Model
import Repository

/// Turns a target into a plan: asks the planner for candidates and the stream for the stop.
struct TargetResolver {
    let planner: Planner
    let locator: StopLocator
    private let hasPointsInStream: Bool
    private let marksAreInStream: Bool
    private let hasEvents: Bool
    private let finder: EventFinder

    init(_ planner: Planner, _ repository: ArchiveRepository, _ replayer: any Replayer) {
        self.planner = planner
        hasPointsInStream = replayer.hasPointsInStream
        marksAreInStream = replayer.hasPoints(inStreamOf: planner.path.timeline)
        hasEvents =
            replayer.events(of: planner.snapshot.descriptor, on: planner.path.timeline) != nil
        finder = EventFinder(repository, replayer)
        locator = StopLocator(repository: repository, replayer: replayer, planner: planner)
    }

    func resolve() throws(TidemarkError) -> RestorePlan {
        let plan = try found()
        // Where clocks differ, a time may lie behind a place that it should come before.
        if let stop = plan.stop { try planner.checkWhole(stop.last) }
        return plan
    }

    private func found() throws(TidemarkError) -> RestorePlan {
        switch planner.target {
        case .latest: try latest()
        case .time(let time): try at(time)
        case .transaction(let number): try at(transaction: number)
        case .position(let scheme, let text): try at(position: text, scheme: scheme)
        case .point(let name):
            try marksAreInStream ? at(point: name) : at(markedPoint: name)
        case .before(let text):
            try at(before: text)
        }
    }

    private func latest() throws(TidemarkError) -> RestorePlan {
        let candidate = try planner.newest()
        let chain = candidate.chain
        if chain.segments.isEmpty, var plan = planner.plan(candidate, stop: nil) {
            plan.archiveEnd = candidate.backup.end
            return plan
        }
        let answer = try locator.search(.end, chain, from: chain.segments.count - 1)
        guard var plan = planner.plan(candidate, stop: nil), case .absent(let last?) = answer,
            last.end >= candidate.backup.end
        else { throw planner.refusal.incomplete(candidate.backup, chain) }
        plan.archiveEnd = last.end
        return plan
    }

    private func at(_ time: CommitTime) throws(TidemarkError) -> RestorePlan {
        for candidate in try planner.candidates(at: time) {
            let chain = candidate.chain
            if chain.segments.isEmpty { return try nothingBehind(candidate) }
            let start = try locator.start(before: time, in: chain)
            let answer = try locator.search(.time(time), chain, from: start)
            // No later commit in the archive, which is proved beyond the time: its last record.
            if let plan = planner.plan(candidate, Self.stop(answer)) {
                if let stop = plan.stop,
                    let conflict = try locator.conflict(with: time, behind: stop, in: chain)
                {
                    throw planner.refusal.ambiguous(conflict, stop)
                }
                return judged(plan, time)
            }
        }
        throw planner.refusal.beforeFirst()
    }

    /// Says what else the copy holds.
    private func judged(_ plan: RestorePlan, _ time: CommitTime) -> RestorePlan {
        guard !hasPointsInStream, let newest = plan.stop?.time,
            newest.seconds(since: time) > Self.exactSeconds
        else { return plan }
        var plan = plan
        plan.warnings.append(
            "what was committed up to \(newest.text(fractionDigits: 3)) is there as well: the "
                + "archive knows the times around \(planner.target) no more exactly")
        return plan
    }

    /// Times closer than this, in seconds, are the same to a measured clock.
    private static let exactSeconds = 0.002

    private func at(position text: String, scheme: String) throws(TidemarkError) -> RestorePlan {
        let style = planner.snapshot.style
        guard scheme == style.scheme, let ordinal = style.parse(text) else {
            throw TidemarkError(
                .usage, "\(scheme):\(text) is not a position of \(planner.snapshot.source)",
                remedy: "write it as \(style.scheme):\(style.text(planner.snapshot.backups[0].end))"
            )
        }
        return try at(ordinal)
    }

    private func at(before text: String) throws(TidemarkError) -> RestorePlan {
        guard hasEvents, let event = EventID(text) else {
            throw TidemarkError(
                .usage, "before:\(text) names no event that `tidemark find` lists",
                remedy: hasEvents
                    ? "take the id from `tidemark find --source \(planner.snapshot.source)`"
                    : "give a time, lsn:, xid: or point: instead")
        }
        // A fork may carry a copy of its parent's bytes from before it; never what came after.
        let timelines = planner.path.sections.filter {
            event.isOn($0.timeline) && event.ordinal <= $0.end
        }.map(\.timeline)
        guard !timelines.isEmpty else { throw planner.refusal.absent("event \(text)") }
        // Out of reach is told as such, whether or not it names an event.
        _ = try planner.candidates(reaching: event.ordinal)
        var nearest: EventLookup?
        for timeline in timelines {
            let lookup = try finder.lookup(event.ordinal, on: timeline, in: planner.snapshot)
            if lookup.found != nil { return try at(event.ordinal, .before(event.ordinal)) }
            nearest = nearest ?? lookup
        }
        throw planner.refusal.noEvent(text, before: nearest?.before, after: nearest?.after)
    }

    /// Nothing was archived behind this base backup: it is itself what was asked for.
    private func nothingBehind(_ candidate: Candidate) throws(TidemarkError) -> RestorePlan {
        let end = candidate.backup.end
        let stop = RecoveryStop(last: end, end: end, time: nil)
        guard let plan = planner.plan(candidate, stop: stop) else {
            preconditionFailure("a base backup reaches its own end")
        }
        return plan
    }

    func at(
        _ ordinal: UInt64, _ question: StopQuestion? = nil
    ) throws(TidemarkError) -> RestorePlan {
        for candidate in try planner.candidates(reaching: ordinal) {
            let full = planner.toEnd(candidate)
            if full.segments.isEmpty { return try nothingBehind(candidate) }
            let index = full.segments.lastIndex { $0.range.first < ordinal } ?? 0
            let answer = try locator.search(
                question ?? .position(ordinal), full, from: index - 1)
            if let plan = planner.plan(candidate, Self.stop(answer)) { return plan }
        }
        throw planner.refusal.beforeFirst()
    }

    /// Newest first, each stretch of history only once: from a base backup to the next newer one.
    private func at(transaction number: UInt64) throws(TidemarkError) -> RestorePlan {
        let candidates = try planner.candidates()
        var end = UInt64.max
        for candidate in candidates {
            let answer = try locator.search(
                .transaction(number), candidate.chain, from: 0, until: end)
            if case .stop(let stop) = answer { return try newest(candidates, stop) }
            end = candidate.backup.end
        }
        throw planner.refusal.absent("transaction \(number)")
    }

    func newest(
        _ candidates: [Candidate], _ stop: RecoveryStop
    ) throws(TidemarkError) -> RestorePlan {
        for candidate in candidates where candidate.chain.end.ordinal >= stop.end {
            if let plan = planner.plan(candidate, stop: stop) { return plan }
        }
        throw planner.refusal.beforeFirst()
    }

    private static func stop(_ answer: StopAnswer) -> RecoveryStop? {
        switch answer {
        case .stop(let stop): stop
        case .absent(let last): last
        case .earlier: nil
        }
    }
}

extension Planner {
    /// As `plan(_:stop:)`, where no stop means that none was found.
    fileprivate func plan(_ candidate: Candidate, _ stop: RecoveryStop?) -> RestorePlan? {
        guard let stop else { return nil }
        return plan(candidate, stop: stop)
    }
}
