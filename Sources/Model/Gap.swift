/// A stretch of history that the archive does not have, and why.
package struct Gap: Hashable, Sendable, Codable {
    package var timeline: TimelineID
    /// The archive ends at `first` and goes on at `last`.
    package var first: UInt64
    package var last: UInt64
    /// When the loss was noticed.
    package var found: CommitTime
    package var reason: String

    package init(
        timeline: TimelineID, first: UInt64, last: UInt64, found: CommitTime, reason: String
    ) {
        self.timeline = timeline
        self.first = first
        self.last = last
        self.found = found
        self.reason = reason
    }

    package var range: PositionRange {
        PositionRange(timeline: timeline, first: first, last: last)
    }
}
