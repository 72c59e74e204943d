import Catalog
import Model
import Repository

/// The errors of a target that cannot be reached, each naming the nearest moments that can.
package struct Refusal: Sendable {
    let snapshot: CatalogSnapshot
    let target: RecoveryTarget
    let path: TimelinePath

    func beforeFirst() -> TidemarkError {
        guard let first = snapshot.reaches(around: path).first else { return noBackup() }
        return TidemarkError(
            .targetOutsideWindow,
            "\(target) lies before the first moment of \(snapshot.source) that can be restored",
            remedy: "the earliest is \(earliest(first))" + brokenBefore(first))
    }

    /// The base backup that would reach further back if it were whole.
    private func brokenBefore(_ first: Reach) -> String {
        let broken = snapshot.brokenBackups.first { $0.backup.id < first.backup }
        return broken.map {
            "; base backup \($0.backup.id) would reach further back: \($0.reason), bring it back "
                + "from a copy of the archive"
        } ?? ""
    }

    /// The same of a position, which other histories of the source may lie on both sides of.
    func beforeFirst(at ordinal: UInt64) -> TidemarkError {
        let (before, after) = around(ordinal, ordinal)
        if areNumbersShared, let other = snapshot.line(at: ordinal), other != path {
            let here = after.map { "; on timeline \(path.timeline) the first is \(earliest($0))" }
            return TidemarkError(
                .targetOutsideWindow,
                "\(target) lies before the first moment of timeline \(path.timeline) of "
                    + "\(snapshot.source), and on timeline \(other.timeline)",
                remedy: "`--timeline \(other.timeline)` restores it" + (here ?? ""))
        }
        guard let before else { return beforeFirst() }
        let root = path.sections.first?.timeline
        let gap = snapshot.gaps.last { $0.nextTimeline == root && $0.timeline != root }
        return TidemarkError(
            .targetInGap,
            "\(target) lies\(place) where history of \(snapshot.source) was lost"
                + (gap.map { ": \($0.reason)" } ?? ""),
            remedy: nearest(newest(before), after.map { earliest($0) }))
    }

    func afterEnd() -> TidemarkError {
        if let shortfall { return damaged(shortfall) }
        guard let last = snapshot.reaches(around: path).last else { return noBackup() }
        return TidemarkError(
            .targetOutsideWindow,
            "\(target) lies after the last moment of \(snapshot.source) that is proved to be "
                + "in the archive",
            remedy: "the newest is \(newest(last))"
                + (isLatestNewest ? "; `--to latest` takes everything there is" : ""))
    }

    /// Whether a restore to the archive's end goes to the end of this history: not where that is of
    /// another, and not where it would be refused for a stretch that is missing.
    private var isLatestNewest: Bool {
        guard path.timeline == snapshot.currentTimeline,
            let backup = snapshot.backups(on: path).last
        else { return false }
        let start = Position(timeline: backup.timeline, ordinal: backup.start)
        return snapshot.chain(on: path, from: start).hole == nil
            && snapshot.lateLoss(on: path) == nil
    }

    func noBackup() -> TidemarkError {
        if let shortfall, !snapshot.backups(on: path).isEmpty { return damaged(shortfall) }
        if let broken = snapshot.brokenBackups.last(where: {
            path.passes(Position(timeline: $0.backup.timeline, ordinal: $0.backup.end))
        }) {
            return TidemarkError(
                .archiveIncomplete,
                "no base backup of \(snapshot.source) on timeline \(path.timeline) is whole: "
                    + broken.reason,
                remedy: "bring it back from a copy of the archive, or take another base backup "
                    + "with `tidemark backup \(snapshot.source)`")
        }
        return TidemarkError(
            .targetOutsideWindow,
            "the archive of \(snapshot.source) has no usable base backup on timeline "
                + "\(path.timeline)",
            remedy: "take one with `tidemark backup \(snapshot.source)`, or choose another "
                + "timeline with --timeline")
    }

    func betweenWindows(_ time: CommitTime, _ windows: [RecoveryWindow]) -> TidemarkError {
        let before = windows.last { $0.to < time }?.to
        let after = windows.first { $0.from > time }?.from
        return TidemarkError(
            .targetInGap,
            "\(target) lies where history of \(snapshot.source) was lost",
            remedy: nearest(before.map { text($0) }, after.map { text($0) }))
    }

    /// A missing stretch: a recorded gap is a fact, anything else is damage.
    func broken(_ hole: PositionRange, before backup: BaseBackupDescriptor?) -> TidemarkError {
        let style = snapshot.style
        let range = "\(style.text(hole.first)) to \(style.text(hole.last))"
        let (before, after) = around(hole.first, hole.last)
        guard let gap = snapshot.gap(at: hole) else {
            return TidemarkError(
                .archiveIncomplete,
                "timeline \(hole.timeline) of \(snapshot.source) is not whole: \(range) is missing",
                remedy: "bring the missing files back, or restore elsewhere: "
                    + nearest(before.map { newest($0) }, after.map { earliest($0) }))
        }
        return TidemarkError(
            .targetInGap,
            "the way to \(target)\(place) crosses a gap of \(snapshot.source), \(range): "
                + gap.reason,
            remedy: nearest(before.map { newest($0) }, after.map { earliest($0) }))
    }

    /// The copy would lack what came late before the target's place.
    func lacking(_ loss: LateLoss) -> TidemarkError {
        let (before, after) = around(loss.wholeUntil, loss.wholeUntil + 1)
        return TidemarkError(
            .targetInGap,
            "\(target) lies\(place) where history of \(snapshot.source) is not whole: "
                + loss.reason,
            remedy: nearest(before.map { newest($0) }, after.map { earliest($0) }))
    }

    /// Where the target lies on a timeline that the source has left.
    private var place: String {
        guard let current = snapshot.currentTimeline, path.timeline != current else { return "" }
        return " on timeline \(path.timeline), which was left for timeline \(current),"
    }

    /// The last moment that can be restored up to `first` on the path, and the first from `last`
    /// on, also of the histories of the source before and after it.
    private func around(_ first: UInt64, _ last: UInt64) -> (before: Reach?, after: Reach?) {
        let lines = snapshot.lines.contains(path) ? snapshot.lines : [path]
        let own = lines.firstIndex(of: path) ?? 0
        var before: [Reach] = []
        var after: [Reach] = []
        for (index, line) in lines.enumerated() {
            for reach in snapshot.reaches(on: line) {
                if areNumbersShared || index == own {
                    if reach.end.ordinal <= first { before.append(reach) }
                    if reach.first.ordinal >= last { after.append(reach) }
                } else if index < own {
                    before.append(reach)
                } else {
                    after.append(reach)
                }
            }
        }
        guard areNumbersShared else { return (before.last, after.first) }
        return (
            before.max { $0.end.ordinal < $1.end.ordinal },
            after.min { $0.first.ordinal < $1.first.ordinal }
        )
    }

    /// Whether a number means the same on all lines: not where a target names its timeline too, or
    /// bytes may be counted anew.
    private var areNumbersShared: Bool {
        guard case .position(_, let text) = target else { return !snapshot.style.countsBytes }
        return snapshot.style.timeline(in: text) == nil
    }

    /// What can be read of the archive ends before what was acknowledged.
    private var shortfall: Shortfall? { snapshot.shortfall(on: path) }

    /// The way to the target leads through a damaged end: never a restore that is silently shorter.
    func damaged(_ shortfall: Shortfall) -> TidemarkError {
        let style = snapshot.style
        let place =
            shortfall.key.map { "\($0) is damaged behind that" } ?? "what follows is missing"
        let known =
            shortfall.acknowledged.map { "\(style.text($0)) was acknowledged" }
            ?? "what lies behind was written too, if only in the moment of a power failure"
        let reach = snapshot.reaches(around: path).last { $0.end.ordinal <= shortfall.end.ordinal }
        let rest =
            reach.map {
                "or restore what can be read: --to \(style.scheme):"
                    + "\(style.text($0.end.ordinal)) for all of it, or a time up to --to "
                    + text($0.window.to)
            } ?? "no base backup can be used without it"
        return TidemarkError(
            .archiveDamaged,
            "\(target) cannot be reached: the archive of \(snapshot.source) can be read only up to "
                + "\(style.text(shortfall.end.ordinal)) on timeline \(shortfall.end.timeline), "
                + "\(place), and \(known)",
            remedy: path.timeline == snapshot.currentTimeline
                ? "start `tidemark run` anew, which asks the source for the rest, or bring the "
                    + "file back from a copy of the archive; \(rest)"
                : "bring the file back from a copy of the archive, since the source has left this "
                    + "timeline and sends it no more; \(rest)")
    }

    func incomplete(_ backup: BaseBackupDescriptor, _ chain: Chain) -> TidemarkError {
        TidemarkError(
            .archiveIncomplete,
            "base backup \(backup.id) needs history up to \(snapshot.style.text(backup.end)), "
                + "the archive ends at \(snapshot.style.text(chain.end.ordinal))",
            remedy: "let the archive catch up, or restore to a moment before this base backup")
    }

    /// The source's clock ran backwards around the target: it names no single place.
    func ambiguous(_ conflict: ClockConflict, _ stop: RecoveryStop) -> TidemarkError {
        let style = snapshot.style
        let positions = [stop.end, conflict.end].map { "\(style.scheme):\(style.text($0))" }
        return TidemarkError(
            .targetOutsideWindow,
            "\(target) names no single place: the clock of \(snapshot.source) ran backwards, so "
                + "commits stamped \(text(conflict.behind)) follow one stamped "
                + text(conflict.ahead),
            remedy: "choose by position: --to \(positions[0]) ends before the first commit stamped "
                + "later, --to \(positions[1]) behind the last one stamped at or before it")
    }

    /// The source made several restore points of one name, and no `mark` says which was meant.
    func ambiguous(point name: String, _ places: [UInt64]) -> TidemarkError {
        let style = snapshot.style
        let choices = places.map { "--to \(style.scheme):\(style.text($0))" }
        return TidemarkError(
            .targetOutsideWindow,
            "\(places.count) restore points of \(snapshot.source) are named \(name)",
            remedy: "choose by position: \(choices.joined(separator: ", "))")
    }

    /// The position can be reached, and nothing that took much away begins there.
    func noEvent(
        _ id: String, before: DestructiveEvent?, after: DestructiveEvent?
    ) -> TidemarkError {
        let near = [(before, "before"), (after, "after")].compactMap { event, side in
            event.map { "before:\($0.id) (\($0.action)) \(side) it" }
        }
        let list = "`tidemark find --source \(snapshot.source)` lists them"
        return TidemarkError(
            .targetOutsideWindow,
            "before:\(id) names no event of \(snapshot.source): none begins there",
            remedy: near.isEmpty
                ? list : "the nearest known: \(near.joined(separator: ", ")); \(list)")
    }

    /// A restore point that is not on the path; another history of the source may have it.
    func absent(point name: String) -> TidemarkError {
        guard let other = snapshot.points.first(where: { $0.name == name }),
            other.timeline != path.timeline, snapshot.knows(other.timeline)
        else { return absent("restore point \(name)") }
        return TidemarkError(
            .targetOutsideWindow,
            "restore point \(name) of \(snapshot.source) lies on timeline \(other.timeline), and "
                + "not on the way to timeline \(path.timeline)",
            remedy: "`--to point:\(name) --timeline \(other.timeline)` restores it")
    }

    func absent(_ what: String) -> TidemarkError {
        if let shortfall { return damaged(shortfall) }
        let windows = snapshot.reaches(around: path).map(\.window)
        let span =
            windows.map { "\(text($0.from)) to \(text($0.to))" }.joined(separator: ", ")
        return TidemarkError(
            .targetOutsideWindow, "\(what) is not in the archive of \(snapshot.source)",
            remedy: "it covers \(span); `tidemark list` shows what can be restored")
    }

    private func nearest(_ before: String?, _ after: String?) -> String {
        switch (before, after) {
        case (let before?, let after?):
            "the nearest that can be restored are \(before) before and \(after) after it"
        case (let before?, nil): "the nearest before it is \(before)"
        case (nil, let after?): "the nearest after it is \(after)"
        case (nil, nil): "`tidemark list` shows what can be restored"
        }
    }

    private func earliest(_ reach: Reach) -> String {
        "\(text(reach.window.from)) (\(words(reach, reach.first)))"
    }

    private func newest(_ reach: Reach) -> String {
        "\(text(reach.window.to)) (\(words(reach, reach.end)))"
    }

    /// A position as `--to` takes it; of a timeline that was left with its name, since the same
    /// number may lie on a newer one too.
    private func words(_ reach: Reach, _ position: Position) -> String {
        let timeline = reach.window.timeline
        return "\(snapshot.style.scheme):\(snapshot.style.text(position.ordinal))"
            + (timeline == snapshot.currentTimeline ? "" : " --timeline \(timeline)")
    }

    private func text(_ time: CommitTime) -> String { time.text(fractionDigits: 3) }
}
