/// `pushed.json`: how far `wal push` has stored each timeline, so that its loss is noticed.
///
/// Written after the segment is durable and before the server is told so. Postgres hands over the
/// segments of a timeline in order and goes on only behind success: everything up to here was in
/// the archive, and nothing behind it was ever promised to be.
package struct PushedMark: Hashable, Sendable, Codable {
    /// First position behind the newest pushed segment, by timeline.
    package var ends: [String: UInt64]

    package init(ends: [String: UInt64] = [:]) { self.ends = ends }

    /// Nil for a timeline of which nothing was pushed.
    package func end(of timeline: TimelineID) -> UInt64? { ends[timeline.name] }

    /// Takes note of `[…, end)`; false when that is no news.
    package mutating func advance(_ timeline: TimelineID, to end: UInt64) -> Bool {
        if let known = ends[timeline.name], known >= end { return false }
        ends[timeline.name] = end
        return true
    }
}
