import Model

// Stretches that are missing although history goes on behind them, and that no gap record explains:
// nobody knows of the loss yet.
extension StreamCheck {
    func lost(_ hole: PositionRange) -> VerificationProblem {
        let what =
            "timeline \(hole.timeline) of \(source) is missing from \(style.text(hole.first)) to "
            + style.text(hole.last) + names(hole)
        guard backups.contains(where: { !isBehind($0, hole) }) || backups.isEmpty else {
            return VerificationProblem(
                source: source, key: firstMissing(hole), kind: .passed,
                what: what + "; it is older than the first base backup, so no restore needs it",
                remedy: "nothing needs to be done")
        }
        let told = chains[hole.timeline]?.lastCommit(before: hole.first).map {
            $0.text(fractionDigits: 3)
        }
        let next = backups.first { isUsable($0) && isBehind($0, hole) }
        let cost: String
        if let next {
            cost =
                "moments between \(told ?? "the last commit before it") and "
                + "\(next.finished.text(fractionDigits: 3)) cannot be restored; those before it, "
                + "and from base backup \(next.id) on, can"
        } else {
            cost = "nothing after \(told ?? style.text(hole.first)) can be restored"
        }
        return VerificationProblem(
            source: source, key: firstMissing(hole), kind: .missing,
            what: what + ", and no gap record says why: " + cost,
            remedy: "copy the missing files back from a copy of the archive"
                + (next == nil
                    ? ", or take a new base backup, so that what follows can be restored: tidemark "
                        + "backup \(source)"
                    : ""))
    }

    /// Whether a base backup was begun behind the hole, on its timeline or on one that left it
    /// later.
    func isBehind(_ backup: BaseBackupDescriptor, _ hole: PositionRange) -> Bool {
        if backup.timeline == hole.timeline { return backup.start >= hole.last }
        return (ancestors[backup.timeline] ?? []).contains {
            $0.timeline == hole.timeline && $0.ordinal >= hole.last
        }
    }

    /// Whether a base backup that can be used makes up for what comes after a stretch.
    func isPassed(_ hole: PositionRange, by backup: BaseBackupDescriptor) -> Bool {
        isUsable(backup) && isBehind(backup, hole)
    }

    func isUsable(_ backup: BaseBackupDescriptor) -> Bool {
        // One that is consistent from its start on needs nothing.
        backup.start == backup.end
            || chains[backup.timeline]?.holds(backup.start, backup.end) == true
    }

    /// Names of the missing files, where their size tells them: the first and the last.
    private func names(_ hole: PositionRange) -> String {
        let bytes = descriptor.segmentBytes
        guard hasAlignedSegments, hole.first % bytes == 0, hole.last % bytes == 0 else { return "" }
        let name = { (first: UInt64) in
            style.segmentName(
                PositionRange(timeline: hole.timeline, first: first, last: first + bytes))
        }
        let count = hole.length / bytes
        let last = count > 1 ? " to \(name(hole.last - bytes)), \(count) files" : ""
        return " (\(name(hole.first))\(last))"
    }

    /// The file that begins where the hole does; the folder where its name cannot be known.
    private func firstMissing(_ hole: PositionRange) -> String {
        let bytes = descriptor.segmentBytes
        guard hasAlignedSegments, hole.first % bytes == 0 else {
            return Layout.timelineFolder(source, style, hole.timeline)
        }
        let range = PositionRange(
            timeline: hole.timeline, first: hole.first, last: hole.first + bytes)
        return Layout.segment(source, style, range).path
    }

    private var hasAlignedSegments: Bool {
        descriptor.kind == .postgres && descriptor.segmentBytes > 0
    }
}
