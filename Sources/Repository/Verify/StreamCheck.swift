import Model

/// Whether what was read of a source's stream hangs together, and holds what others rely on. Pure.
struct StreamCheck {
    private(set) var problems: [VerificationProblem] = []
    let descriptor: SourceDescriptor
    let style: any PositionStyle
    /// Timelines by those that left them.
    private(set) var forks: [TimelineID: TimelineID] = [:]
    private(set) var chains: [TimelineID: ChainCheck] = [:]
    private(set) var ancestors: [TimelineID: [Position]] = [:]
    let backups: [BaseBackupDescriptor]

    var source: SourceID { descriptor.source }

    init(
        _ descriptor: SourceDescriptor, _ rules: VerificationRules,
        _ outcomes: [ObjectCheck.Outcome], gaps: [Gap], backups: [BaseBackupDescriptor]
    ) {
        self.backups = backups
        self.descriptor = descriptor
        style = rules.style
        var links: [TimelineID: [ChainCheck.Link]] = [:]
        var documents: [TimelineID: [String: [UInt8]]] = [:]
        for outcome in outcomes {
            if let (timeline, link) = outcome.link { links[timeline, default: []].append(link) }
            if let (timeline, name, content) = outcome.document {
                documents[timeline, default: [:]][name] = content
            }
        }
        for timeline in links.keys.sorted() {
            let chain = ChainCheck(source, timeline, links[timeline] ?? [], gaps: gaps)
            chains[timeline] = chain
            problems += chain.problems
        }
        for timeline in links.keys.sorted() {
            checkDescent(of: timeline, documents[timeline] ?? [:], rules)
        }
        for timeline in chains.keys.sorted() {
            for hole in chains[timeline]?.holes ?? [] { problems.append(lost(hole)) }
        }
    }

    /// Every stretch without a hole, for the report.
    var stretches: [SourceVerification.Stretch] {
        chains.keys.sorted().flatMap { timeline in
            (chains[timeline]?.runs ?? []).map {
                SourceVerification.Stretch(
                    timeline: timeline, first: style.text($0.first), last: style.text($0.last))
            }
        }
    }

    // MARK: timelines

    /// A timeline goes on where its history says that it left its parent.
    private mutating func checkDescent(
        of timeline: TimelineID, _ documents: [String: [UInt8]], _ rules: VerificationRules
    ) {
        let folder = Layout.timelineFolder(source, style, timeline)
        let ancestors: [Position]
        do throws(TidemarkError) {
            ancestors = try rules.ancestors(timeline, documents)
        } catch {
            problems.append(
                VerificationProblem(error, ObjectKey(String(folder.dropLast())), of: source))
            return
        }
        self.ancestors[timeline] = ancestors
        guard let parent = ancestors.last else {
            if descriptor.kind == .postgres, timeline.name != "1" {
                problems.append(missingHistory(folder, timeline))
            }
            return
        }
        forks[timeline] = parent.timeline
        guard let chain = chains[timeline], let first = chain.runs.first?.first else { return }
        let parentEnd = chains[parent.timeline]?.end
        // Of a parent that is not archived at all, or has expired, nothing is expected; then the
        // archive begins on this timeline, wherever that is.
        guard let parentEnd else { return }
        // The segment that holds the switch point is the child's, from its beginning.
        let needed = min(parent.ordinal, first)
        if parentEnd < needed, !isCovered(parent.timeline, parentEnd, needed) {
            problems.append(hole(parent.timeline, parentEnd, needed, folder))
        }
        if first > parent.ordinal, !isCovered(timeline, parent.ordinal, first) {
            problems.append(hole(timeline, parent.ordinal, first, folder))
        }
    }

    private func isCovered(_ timeline: TimelineID, _ first: UInt64, _ last: UInt64) -> Bool {
        chains[timeline]?.isCovered(first, last) ?? false
    }

    private func missingHistory(
        _ folder: String, _ timeline: TimelineID
    ) -> VerificationProblem {
        VerificationProblem(
            source: source, key: folder, kind: .missing,
            what: "timeline \(timeline) of \(source) has no history file, so nobody knows where "
                + "it left its parent",
            remedy: "copy the .history file of timeline \(timeline) from the server's pg_wal "
                + "folder: tidemark wal push PATH")
    }

    private func hole(
        _ timeline: TimelineID, _ first: UInt64, _ last: UInt64, _ key: String
    ) -> VerificationProblem {
        VerificationProblem(
            source: source, key: key, kind: .missing,
            what: "timeline \(timeline) of \(source) is missing from \(style.text(first)) to "
                + "\(style.text(last)), where another timeline leaves it",
            remedy: "copy the missing files back from a copy of the archive, or take a new base "
                + "backup: tidemark backup \(source)")
    }

    // MARK: what others rely on

    /// A base backup needs every change from its start to its end.
    func check(_ backup: BaseBackupDescriptor) -> [VerificationProblem] {
        guard !isUsable(backup) else { return holeBehind(backup).map { [lost($0)] } ?? [] }
        let needed = PositionRange(
            timeline: backup.timeline, first: backup.start, last: backup.end)
        // What was lost without a record is told as that; nobody has passed it.
        let isUnexplained = chains[backup.timeline]?.holes.contains {
            $0.first < backup.end && backup.start < $0.last
        }
        let isPassed =
            isUnexplained != true && backups.contains { self.isPassed(needed, by: $0) }
        return [
            VerificationProblem(
                source: source, key: Layout.manifest(source, backup.id).path,
                kind: isPassed ? .passed : .missing,
                what: "base backup \(backup.id) needs timeline \(backup.timeline) from "
                    + "\(style.text(backup.start)) to \(style.text(backup.end)), which the "
                    + "archive does not hold",
                remedy: "copy the missing files back from a copy of the archive, or take a new "
                    + "base backup: tidemark backup \(source)")
        ]
    }

    /// What lies between a base backup that needs nothing and the history that follows it. Where it
    /// lies inside a stretch, or nothing follows, there is no hole.
    private func holeBehind(_ backup: BaseBackupDescriptor) -> PositionRange? {
        guard let chain = chains[backup.timeline],
            !chain.runs.contains(where: { $0.first <= backup.end && backup.end <= $0.last }),
            let next = chain.runs.first(where: { $0.first > backup.end }),
            !chain.isCovered(backup.end, next.first)
        else { return nil }
        return PositionRange(
            timeline: backup.timeline, first: backup.end, last: next.first)
    }

    /// What the watermark says is archived must be there.
    func check(_ watermark: Watermark) -> [VerificationProblem] {
        check(
            watermark.claimed, on: watermark.timeline, Layout.watermark(source),
            "`tidemark run`, started anew, asks the source for the rest")
    }

    /// And so must what archive_command has stored.
    func check(_ pushed: PushedMark) -> [VerificationProblem] {
        pushed.ends.sorted { $0.key < $1.key }.flatMap {
            check(
                $0.value, on: TimelineID($0.key), Layout.pushed(source),
                "`tidemark wal push` stores them again where the server still has them")
        }
    }

    private func check(
        _ archived: UInt64, on timeline: TimelineID, _ key: ObjectKey, _ otherwise: String
    ) -> [VerificationProblem] {
        guard !isThere(archived, on: timeline) else { return [] }
        let end = chains[timeline]?.end
        let reached = end.map { "ends at \(style.text($0))" } ?? "has nothing"
        return [
            VerificationProblem(
                source: source, key: key.path, kind: .missing,
                what: "\(source) was archived up to \(style.text(archived)) on timeline "
                    + "\(timeline), but the archive \(reached) there",
                remedy: "copy the missing files back from a copy of the archive; " + otherwise)
        ]
    }

    private func isThere(_ archived: UInt64, on timeline: TimelineID) -> Bool {
        if let chain = chains[timeline], let end = chain.end {
            // After lost history the stream starts again behind it, with nothing received yet.
            return archived <= end || chain.isCovered(end, archived)
        }
        // Nothing received yet on this timeline: the stream stands at a segment's start, or where
        // the timeline left its parent.
        return descriptor.kind != .postgres || archived % max(descriptor.segmentBytes, 1) == 0
            || chains.values.contains { archived <= $0.end ?? 0 }
    }
}
