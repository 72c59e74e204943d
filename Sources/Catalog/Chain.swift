package import Model
package import Repository

/// The segments that carry history from one position on, without a hole.
package struct Chain: Hashable, Sendable {
    /// In the order of replay.
    package var segments: [SegmentListing]
    /// Everything from the start to here is in the archive.
    package var end: Position
    /// The first stretch that is missing although history goes on behind it; nil when the chain
    /// simply ends.
    package var hole: PositionRange?

    /// Size of the stored files.
    package var storedBytes: UInt64 { segments.reduce(0) { $0 + $1.storedBytes } }
    package var bytes: UInt64 { segments.reduce(0) { $0 + $1.range.length } }
}

extension CatalogSnapshot {
    /// Follows `path` from `start` as far as the archive goes, at most until `stop` is covered.
    ///
    /// Where a timeline begins inside a segment, its own file carries a copy of the parent's bytes
    /// before the fork; so the parent is needed only up to the start of that file.
    package func chain(
        on path: TimelinePath, from start: Position, to stop: UInt64 = .max
    ) -> Chain {
        var walk = Chain(segments: [], end: start, hole: nil)
        let entry = path.sections.firstIndex { $0.timeline == start.timeline } ?? 0
        for index in entry..<path.sections.count {
            let section = path.sections[index]
            let limit = lastNeeded(in: path, section: index)
            walk.end.timeline = section.timeline
            if !extend(&walk, in: section.timeline, limit: limit, stop: stop) { return walk }
            let isLast = index == path.sections.count - 1
            if walk.end.ordinal < limit, !isLast {
                let next = path.sections[index + 1].timeline
                let goesOn = !(segments[next] ?? []).isEmpty
                if goesOn {
                    walk.hole = PositionRange(
                        timeline: section.timeline, first: walk.end.ordinal, last: limit)
                }
                return walk
            }
        }
        return walk
    }

    /// False when the walk is over: the stop is covered or a hole was met.
    private func extend(
        _ walk: inout Chain, in timeline: TimelineID, limit: UInt64, stop: UInt64
    ) -> Bool {
        for segment in segments[timeline] ?? [] {
            let content = contentEnd(segment)
            guard content > walk.end.ordinal else { continue }
            if segment.range.first >= limit { break }
            if segment.range.first > walk.end.ordinal {
                walk.hole = PositionRange(
                    timeline: timeline, first: walk.end.ordinal, last: segment.range.first)
                return false
            }
            walk.segments.append(segment)
            walk.end.ordinal = min(content, limit)
            if walk.end.ordinal >= stop { return false }
            if walk.end.ordinal >= limit { break }
        }
        return true
    }

    /// Where the next timeline's own files take over from this section.
    private func lastNeeded(in path: TimelinePath, section index: Int) -> UInt64 {
        let section = path.sections[index]
        guard index + 1 < path.sections.count else { return section.end }
        let next = segments[path.sections[index + 1].timeline] ?? []
        guard let file = next.first, file.range.first <= section.end else { return section.end }
        return file.range.first
    }
}
