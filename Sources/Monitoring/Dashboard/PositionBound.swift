package import Catalog
package import Model
import Repository

/// What the archive proves of the position that a source had at one moment.
package struct PositionBound: Sendable, Hashable {
    package enum Side: Sendable, Hashable { case least, most, exact }

    package var time: CommitTime
    package var position: Position
    package var side: Side
}

extension CatalogSnapshot {
    /// In the order of time.
    ///
    /// A base backup ends at a position that the source had when it was finished, and had not
    /// passed when it was started. The last commit known of a segment lies inside it. What is
    /// proved up to a moment lies below what is archived.
    package func positionBounds(live: Watermark?) -> [PositionBound] {
        var bounds: [PositionBound] = []
        let add = { (time: CommitTime, line: TimelineID, place: UInt64, side: PositionBound.Side) in
            bounds.append(
                PositionBound(
                    time: time, position: Position(timeline: line, ordinal: place), side: side))
        }
        for backup in backups {
            add(backup.started, backup.timeline, backup.end, .most)
            add(backup.finished, backup.timeline, backup.end, .least)
        }
        for point in points { add(point.time, point.timeline, point.position, .exact) }
        for segment in segments.values.joined() {
            guard let time = lastCommits[segment.key] else { continue }
            add(time, segment.range.timeline, segment.range.first, .least)
            add(time, segment.range.timeline, contentEnd(segment), .most)
        }
        if let mark = live ?? watermark, let proved = mark.restorableTo {
            add(proved, mark.timeline, mark.archived, .most)
        }
        return bounds.sorted { $0.time < $1.time }
    }
}
