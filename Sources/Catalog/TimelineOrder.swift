package import Model

/// Which timeline of several is the newest. Pure.
///
/// Numbers count up. Ids that say nothing by themselves are ordered by descent, by what the
/// watermark says, and by the newest commits known of them.
package struct TimelineOrder: Sendable {
    private let ancestors: [TimelineID: [Ancestor]]

    /// - Parameter ancestors: of every timeline, oldest first.
    package init(ancestors: [TimelineID: [Ancestor]]) { self.ancestors = ancestors }

    /// - Parameters:
    ///   - marked: the timeline of the watermark.
    ///   - evidence: when a timeline was last seen alive; nil when it is not known.
    package func newest(
        of timelines: [TimelineID], marked: TimelineID?,
        evidence: (TimelineID) -> CommitTime? = { _ in nil }
    ) -> TimelineID? {
        let all = timelines + [marked].compactMap { $0 }
        if all.allSatisfy({ UInt64($0.name) != nil }) { return all.max() }
        // What the watermark names, unless the source has gone on to a child since.
        var candidates = timelines.filter { timeline in
            !timelines.contains { descends($0, from: timeline) }
        }
        if let marked {
            candidates = [marked] + candidates.filter { descends($0, from: marked) }
        }
        guard var best = candidates.first else { return nil }
        for other in candidates.dropFirst() {
            guard let time = evidence(other) else { continue }
            if evidence(best).map({ $0 < time }) ?? true { best = other }
        }
        return best
    }

    private func descends(_ timeline: TimelineID, from other: TimelineID) -> Bool {
        (ancestors[timeline] ?? []).contains { $0.timeline == other }
    }
}
