/// A stretch of history that the archive does not have, and why.
package struct Gap: Hashable, Sendable, Codable {
    package var timeline: TimelineID
    /// The archive ends at `first` and goes on at `last`, on `nextTimeline` if that is set; the two
    /// numbers are then of different histories.
    package var first: UInt64
    package var last: UInt64
    /// Where history goes on when the source has begun a new one; nil for the same timeline.
    package var nextTimeline: TimelineID?
    /// When the loss was noticed.
    package var found: CommitTime
    package var reason: String
    /// Source clock: everything committed at or before it is archived before the gap; nil when that
    /// was not proved.
    package var restorableTo: CommitTime?

    package init(
        timeline: TimelineID, first: UInt64, last: UInt64, nextTimeline: TimelineID? = nil,
        found: CommitTime, reason: String, restorableTo: CommitTime? = nil
    ) {
        self.timeline = timeline
        self.first = first
        self.last = last
        self.nextTimeline = nextTimeline
        self.found = found
        self.reason = reason
        self.restorableTo = restorableTo
    }

    package var range: PositionRange {
        PositionRange(timeline: timeline, first: first, last: max(first, last))
    }

    enum CodingKeys: String, CodingKey {
        case timeline, first, last, found, reason
        case nextTimeline = "next_timeline"
        case restorableTo = "restorable_to"
    }
}
