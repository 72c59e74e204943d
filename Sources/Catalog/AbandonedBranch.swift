package import Model

/// Commits that a timeline holds behind the place where the path to the target left it: what was
/// acknowledged on the old primary and never reached the one that took over.
package struct AbandonedBranch: Hashable, Sendable {
    package var timeline: TimelineID
    /// The timeline that went on instead.
    package var successor: TimelineID
    /// Where the two part.
    package var fork: UInt64
    /// First and last of the commits that only the branch has.
    package var first: CommitTime
    package var last: CommitTime
    /// First commit behind the fork on the successor; nil when none is known.
    package var takeover: CommitTime?

    /// Whether a restore to `time` along the path would silently leave out what was acknowledged
    /// then: the source was still on this branch, as far as anybody can tell.
    package func claims(_ time: CommitTime) -> Bool {
        guard first <= time else { return false }
        return takeover.map { time < $0 } ?? true
    }

    /// The same, as the times between two that are certain; nil when the branch was over before its
    /// successor began, so that there are none.
    package var doubt: Outage? {
        let end = takeover ?? CommitTime(microseconds: .max)
        guard first < end else { return nil }
        return Outage(
            from: CommitTime(microseconds: max(first.microseconds, .min + 1) - 1), to: end)
    }

    /// What the operator should know of a restore that goes on behind the fork.
    package var warning: String {
        "timeline \(timeline) holds commits from \(text(first)) to \(text(last)) that timeline "
            + "\(successor) never had; `--timeline \(timeline)` restores them"
    }

    /// The refusal of a time at which both lines have a claim.
    package func refusal(of time: CommitTime, source: SourceID) -> TidemarkError {
        let there = time <= last ? text(time) : "latest"
        return TidemarkError(
            .targetOutsideWindow,
            "at \(text(time)) \(source) was between two histories: timeline \(timeline) holds "
                + "commits from \(text(first)) to \(text(last)) that timeline \(successor), which "
                + "went on, never had",
            remedy: "choose `--timeline \(timeline) --to \(there)` to have them, or "
                + "`--timeline \(successor) --to \(text(time))` to have the state that went on")
    }

    private func text(_ time: CommitTime) -> String { time.text(fractionDigits: 3) }
}
