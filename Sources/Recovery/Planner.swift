package import Catalog
package import Model
import Repository

/// Chooses base backup and history for a target, or says why it cannot be reached. No I/O.
///
/// Where the exact stop must be read from the stream (a time, a transaction), the planner names the
/// candidates, newest first; the caller searches their chains and comes back with the stop.
package struct Planner: Sendable {
    package let snapshot: CatalogSnapshot
    package let target: RecoveryTarget
    package let path: TimelinePath
    let refusal: Refusal

    /// - Parameter timeline: nil for the timeline that the source is on.
    package init(
        _ snapshot: CatalogSnapshot, target: RecoveryTarget, timeline: TimelineID? = nil
    ) throws(TidemarkError) {
        self.snapshot = snapshot
        self.target = target
        guard !snapshot.backups.isEmpty else {
            if let broken = snapshot.brokenBackups.last {
                throw TidemarkError(
                    .archiveIncomplete,
                    "no base backup of \(snapshot.source) is whole: \(broken.reason)",
                    remedy: "bring it back from a copy of the archive, or take another base backup "
                        + "with `tidemark backup \(snapshot.source)`")
            }
            throw TidemarkError(
                .targetOutsideWindow, "the archive of \(snapshot.source) has no base backup yet",
                remedy: "take one with `tidemark backup \(snapshot.source)`")
        }
        let named = timeline ?? Self.timeline(of: target, snapshot)
        guard let chosen = named ?? snapshot.currentTimeline,
            snapshot.knows(chosen)
        else {
            throw Self.unknown(named, snapshot)
        }
        path = snapshot.path(to: chosen)
        refusal = Refusal(snapshot: snapshot, target: target, path: path)
    }

    /// A timeline that the archive has nothing of: asked for in vain (by itself, or by a target in
    /// it such as `offset:REPLID:N`), or lost.
    private static func unknown(
        _ asked: TimelineID?, _ snapshot: CatalogSnapshot
    ) -> TidemarkError {
        let known = snapshot.timelines.map(\.name).joined(separator: ", ")
        if asked == nil, let mark = snapshot.watermark, mark.timeline == snapshot.currentTimeline {
            let gap = snapshot.gaps.last { $0.nextTimeline == mark.timeline }
            if let gap, mark.claimed <= gap.last {
                return begun(behind: gap, snapshot)
            }
            return TidemarkError(
                .archiveIncomplete,
                "\(snapshot.source) was archived up to \(snapshot.style.text(mark.claimed)) on "
                    + "timeline \(mark.timeline), and nothing of that timeline is in the archive",
                remedy: "bring its files back from a copy of the archive; what went before is on "
                    + "--timeline \(known)")
        }
        return TidemarkError(
            .targetOutsideWindow,
            "the archive of \(snapshot.source) has no timeline \(asked?.name ?? "at all")",
            remedy: "choose one of: \(known)")
    }

    /// A timeline that has just begun behind lost history: nothing of it was proved yet, so that
    /// nothing of it is missing.
    private static func begun(behind gap: Gap, _ snapshot: CatalogSnapshot) -> TidemarkError {
        TidemarkError(
            .targetInGap,
            "history of \(snapshot.source) was lost (\(gap.reason)), and nothing after it can be "
                + "restored before a new base backup",
            remedy: "`tidemark run` takes it by itself; what went before is on --timeline "
                + "\(gap.timeline), up to --to "
                + "\(snapshot.style.scheme):\(snapshot.style.text(gap.first))")
    }

    /// The timeline that a target lies on, where it is not the one the source is on: one that lost
    /// history cut off, or one that the target names.
    private static func timeline(
        of target: RecoveryTarget, _ snapshot: CatalogSnapshot
    ) -> TimelineID? {
        let lines = snapshot.lines
        switch target {
        case .time(let time):
            return snapshot.line(at: time)?.timeline
        case .position(_, let text):
            guard let ordinal = snapshot.style.parse(text) else { return nil }
            guard let named = snapshot.style.timeline(in: text) else {
                return (snapshot.line(at: ordinal) ?? snapshot.line(holding: ordinal))?.timeline
            }
            let place = Position(timeline: named, ordinal: ordinal)
            return (lines.last { $0.passes(place) })?.timeline ?? named
        case .point(let name):
            guard let point = snapshot.points.first(where: { $0.name == name }) else { return nil }
            let place = Position(timeline: point.timeline, ordinal: point.position)
            return (lines.last { $0.passes(place) })?.timeline
        case .before(let text):
            guard let event = EventID(text),
                let named = snapshot.timelines.first(where: event.isOn)
            else { return nil }
            let place = Position(timeline: named, ordinal: event.ordinal)
            return (lines.last { $0.passes(place) })?.timeline ?? named
        case .latest, .transaction: return nil
        }
    }

    /// The newest base backup and everything behind it, to the archive's end.
    package func newest() throws(TidemarkError) -> Candidate {
        guard let backup = snapshot.backups(on: path).last else { throw refusal.noBackup() }
        let chain = chain(from: backup)
        if let hole = chain.hole { throw refusal.broken(hole, before: nil) }
        if let shortfall = snapshot.shortfall(on: path) { throw refusal.damaged(shortfall) }
        try checkWhole(chain.end.ordinal)
        guard chain.end.ordinal >= backup.end else { throw refusal.incomplete(backup, chain) }
        return Candidate(backup: backup, chain: chain)
    }

    /// Base backups from which `ordinal` can be reached, newest first; never empty.
    package func candidates(reaching ordinal: UInt64) throws(TidemarkError) -> [Candidate] {
        try checkWhole(ordinal)
        let usable = snapshot.backups(on: path).filter { $0.end <= ordinal }
        guard let newest = usable.last else { throw refusal.beforeFirst(at: ordinal) }
        let chain = chain(from: newest, to: ordinal)
        if let hole = chain.hole { throw refusal.broken(hole, before: newest) }
        guard chain.end.ordinal >= ordinal else {
            // Behind lost history nothing may have been archived yet.
            let gap = snapshot.gaps.first {
                $0.timeline == chain.end.timeline && $0.first <= chain.end.ordinal
                    && ordinal < $0.last
            }
            if let gap { throw refusal.broken(gap.range, before: newest) }
            throw refusal.afterEnd()
        }
        var found = [Candidate(backup: newest, chain: chain)]
        for backup in usable.dropLast().reversed() {
            let chain = self.chain(from: backup, to: ordinal)
            if chain.hole == nil { found.append(Candidate(backup: backup, chain: chain)) }
        }
        return found
    }

    /// Base backups that were finished at or before `time` and whose history covers it, newest
    /// first; never empty. The chain runs on behind the target, because commit times alone say
    /// where the first later commit lies.
    package func candidates(at time: CommitTime) throws(TidemarkError) -> [Candidate] {
        let reaches = snapshot.reaches(around: path)
        guard let first = reaches.first, let last = reaches.last else {
            throw refusal.noBackup()
        }
        if time < first.window.from { throw refusal.beforeFirst() }
        if time > last.window.to {
            // What was never proved to be there is out of reach; what was is missing.
            let wasThere = snapshot.watermark?.restorableTo.map { time <= $0 } ?? false
            throw (wasThere ? damage(before: time) : nil) ?? refusal.afterEnd()
        }
        guard reaches.contains(where: { $0.window.from <= time && time <= $0.window.to }) else {
            throw damage(before: time)
                ?? refusal.betweenWindows(time, reaches.map(\.window))
        }
        var found: [Candidate] = []
        let whole = snapshot.lateLoss(on: path)?.wholeUntil ?? .max
        for backup in snapshot.backups(on: path).reversed() where backup.finished <= time {
            let chain = chain(from: backup)
            guard backup.end <= min(whole, chain.end.ordinal) else { continue }
            found.append(Candidate(backup: backup, chain: chain))
        }
        // The window may be that of a line which this one's lost history cut off.
        guard !found.isEmpty else { throw refusal.betweenWindows(time, reaches.map(\.window)) }
        return found
    }

    /// A stretch is missing on the way to this time, and no gap record tells of it.
    private func damage(before time: CommitTime) -> TidemarkError? {
        guard let backup = snapshot.backups(on: path).last(where: { $0.finished <= time }),
            let hole = chain(from: backup).hole, snapshot.gap(at: hole) == nil
        else { return nil }
        return refusal.broken(hole, before: backup)
    }

    /// Every usable base backup, newest first, for a target that only the stream can place.
    package func candidates() throws(TidemarkError) -> [Candidate] {
        var found: [Candidate] = []
        for backup in snapshot.backups(on: path).reversed() {
            let chain = chain(from: backup)
            guard chain.end.ordinal >= backup.end else { continue }
            found.append(Candidate(backup: backup, chain: chain))
        }
        if found.isEmpty { throw refusal.noBackup() }
        return found
    }

    /// The plan for a candidate; nil when the stop lies before its copy is consistent, so that an
    /// older candidate is needed.
    package func plan(_ candidate: Candidate, stop: RecoveryStop?) -> RestorePlan? {
        var candidate = candidate
        if let stop {
            guard stop.end >= candidate.backup.end else { return nil }
            candidate.chain = chain(from: candidate.backup, to: stop.end)
        }
        let reaches: CommitTime?
        switch (target, stop) {
        case (.time(let time), _): reaches = time
        case (_, let stop?): reaches = stop.time
        case (_, nil): reaches = snapshot.provedTime(of: candidate.chain, on: path)
        }
        return RestorePlan(
            descriptor: snapshot.descriptor, target: target, path: path,
            backup: candidate.backup, chain: candidate.chain, stop: stop, reaches: reaches,
            warnings: passedOver(candidate, stop) + warnings(candidate))
    }

    /// Refuses a copy that would hold history up to `ordinal` and lack what came late before it.
    /// A base backup that was read behind it is no way round: nobody knows why it came late, so
    /// whether a copy had it then is not known either.
    func checkWhole(_ ordinal: UInt64) throws(TidemarkError) {
        guard let loss = snapshot.lateLoss(on: path), ordinal > loss.wholeUntil else { return }
        throw refusal.lacking(loss)
    }

    /// The candidate's history to the archive's end, whatever its chain was cut to.
    func toEnd(_ candidate: Candidate) -> Chain { chain(from: candidate.backup) }

    /// Newer base backups that would have been taken if they were whole.
    private func passedOver(_ candidate: Candidate, _ stop: RecoveryStop?) -> [String] {
        snapshot.brokenBackups.filter { broken in
            let backup = broken.backup
            return backup.id > candidate.backup.id && backup.end <= stop?.end ?? .max
                && path.passes(Position(timeline: backup.timeline, ordinal: backup.end))
        }.map {
            "base backup \($0.backup.id) is passed over for an older one: \($0.reason) (bring it "
                + "back from a copy of the archive)"
        }
    }

    private func warnings(_ candidate: Candidate) -> [String] {
        var lines = candidate.backup.warnings.map { "base backup \(candidate.backup.id): \($0)" }
        if let newest = snapshot.currentTimeline, newest != path.timeline {
            lines.append(
                "timeline \(path.timeline) is not the newest: what happened on timeline "
                    + "\(newest) after they parted will be missing")
        }
        return lines
    }

    private func chain(
        from backup: BaseBackupDescriptor, to stop: UInt64 = .max
    ) -> Chain {
        let start = Position(timeline: backup.timeline, ordinal: backup.start)
        return snapshot.chain(on: path, from: start, to: stop)
    }
}
