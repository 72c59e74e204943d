/// From the earliest to the latest moment that can be restored without crossing a gap.
package struct RecoveryWindow: Hashable, Sendable, Codable {
    package var timeline: TimelineID
    package var from: CommitTime
    package var to: CommitTime

    package init(timeline: TimelineID, from: CommitTime, to: CommitTime) {
        self.timeline = timeline
        self.from = from
        self.to = to
    }
}
