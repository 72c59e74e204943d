package import Model
package import Repository

/// Where a stream has to go on, so that the archive becomes whole.
package struct Continuation: Hashable, Sendable {
    /// Up to here the archive holds everything from the newest base backup's start on.
    package var end: Position
    /// What is missing at `end` although the archive has history behind it; nil at its very end.
    package var hole: PositionRange?
    /// The same for timelines that a source may have gone back to: at most one of each.
    package var others: [Position]
}

extension CatalogSnapshot {
    /// Where the archive's first unbroken stretch behind the newest base backup ends; nil when no
    /// segment is archived.
    ///
    /// What lies behind a hole, such as segments that archive_command stored, is no reason to go on
    /// there: the source would take our word for it and drop what is missing. A recorded gap is
    /// no hole: it was lost, and a new base backup begins behind it.
    package func continuation() -> Continuation? {
        let archived = segments.keys.filter { segments[$0]?.isEmpty == false }.sorted()
        guard let newest = archived.last else { return nil }
        let path = path(to: newest)
        guard let (end, hole) = follow(path) else { return nil }
        // Timelines of the path behind the end would lead past the hole.
        let place = path.sections.firstIndex { $0.timeline == end.timeline } ?? 0
        let behind = Set(path.sections[place...].map(\.timeline))
        var others: [TimelineID: UInt64] = [:]
        for timeline in archived where !behind.contains(timeline) {
            guard let (other, _) = follow(self.path(to: timeline)),
                !behind.contains(other.timeline)
            else { continue }
            others[other.timeline] = min(other.ordinal, others[other.timeline] ?? .max)
        }
        return Continuation(
            end: end, hole: hole,
            others: others.keys.sorted().map { Position(timeline: $0, ordinal: others[$0] ?? 0) })
    }

    /// What the archive lacks on the way from `end` to `start`, where a stream begins.
    package func missing(from end: Position, to start: Position) -> [PositionRange] {
        let path = path(to: start.timeline)
        guard path.passes(end) else {
            return [
                PositionRange(
                    timeline: end.timeline, first: end.ordinal,
                    last: max(end.ordinal, start.ordinal)
                )
            ]
        }
        var found: [PositionRange] = []
        var place = end
        while true {
            let chain = chain(on: path, from: place, to: start.ordinal)
            guard chain.end.ordinal < start.ordinal else { return found }
            let section = path.section(of: chain.end.timeline)?.end ?? start.ordinal
            let last = min(chain.hole?.last ?? section, section, start.ordinal)
            place = Position(timeline: chain.end.timeline, ordinal: last)
            found.append(
                PositionRange(timeline: chain.end.timeline, first: chain.end.ordinal, last: last))
        }
    }

    /// The segments that hold all of a stretch of one line of descent, in order; nil when some of
    /// it is missing.
    package func segments(holding range: PositionRange) -> [SegmentListing]? {
        let path = path(to: range.timeline)
        let owner = path.timeline(endingAt: range.first + 1)
        let chain = chain(
            on: path, from: Position(timeline: owner, ordinal: range.first), to: range.last)
        return chain.end.ordinal >= range.last ? chain.segments : nil
    }

    /// Where the first unbroken stretch of a path ends, recorded gaps passed over.
    func follow(_ path: TimelinePath) -> (end: Position, hole: PositionRange?)? {
        guard var start = anchor(on: path) else { return nil }
        while true {
            let chain = chain(on: path, from: start)
            let reached = lost(behind: chain.end, on: path)
            guard let hole = chain.hole else {
                // The stream went on behind a gap, and has brought nothing yet.
                return (Position(timeline: chain.end.timeline, ordinal: reached), nil)
            }
            guard reached >= hole.last else {
                return (
                    Position(timeline: hole.timeline, ordinal: reached),
                    PositionRange(timeline: hole.timeline, first: reached, last: hole.last)
                )
            }
            start = Position(timeline: hole.timeline, ordinal: hole.last)
        }
    }

    /// Restores need history from the newest base backup on; without one, all there is.
    private func anchor(on path: TimelinePath) -> Position? {
        if let backup = backups(on: path).last {
            return Position(timeline: backup.timeline, ordinal: backup.start)
        }
        for section in path.sections {
            guard let first = segments[section.timeline]?.first else { continue }
            return Position(timeline: section.timeline, ordinal: first.range.first)
        }
        return nil
    }

    /// How far the recorded gaps that begin at or before `end` say that history was lost.
    private func lost(behind end: Position, on path: TimelinePath) -> UInt64 {
        let onPath = gaps.filter {
            path.passes(Position(timeline: $0.timeline, ordinal: $0.first))
        }
        var reached = end.ordinal
        for gap in onPath.sorted(by: { $0.first < $1.first }) where gap.first <= reached {
            reached = max(reached, gap.last)
        }
        return reached
    }
}
