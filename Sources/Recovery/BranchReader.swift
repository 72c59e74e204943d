package import Catalog
package import Model
package import Repository
import Segments

/// Finds the abandoned branches beside a path, from names, footers and the segments of the forks.
package struct BranchReader {
    private let repository: ArchiveRepository
    private let replayer: any Replayer
    private let snapshot: CatalogSnapshot

    /// Footers read in search of the first commit behind a fork.
    private static let footerLimit = 64

    package init(repository: ArchiveRepository, replayer: any Replayer, snapshot: CatalogSnapshot) {
        self.repository = repository
        self.replayer = replayer
        self.snapshot = snapshot
    }

    /// Oldest first.
    package func branches(off path: TimelinePath) throws(TidemarkError) -> [AbandonedBranch] {
        var found: [AbandonedBranch] = []
        for (section, next) in zip(path.sections, path.sections.dropFirst()) {
            guard let end = snapshot.end(of: section.timeline), end.ordinal > section.end,
                let own = try commits(on: section.timeline, behind: section.end)
            else { continue }
            found.append(
                AbandonedBranch(
                    timeline: section.timeline, successor: next.timeline, fork: section.end,
                    first: own.first, last: own.last,
                    takeover: try commits(on: next.timeline, behind: section.end)?.first))
        }
        return try found + sideBranches(off: path)
    }

    /// Timelines that the source's present one does not come from, though the archive has them: of
    /// servers that were promoted, and passed by when another one was.
    private func sideBranches(off path: TimelinePath) throws(TidemarkError) -> [AbandonedBranch] {
        guard path.timeline == snapshot.currentTimeline else { return [] }
        var found: [AbandonedBranch] = []
        for timeline in snapshot.segments.keys.sorted() where path.section(of: timeline) == nil {
            guard let left = snapshot.ancestors[timeline]?.last,
                path.section(of: left.timeline) != nil,
                let own = try commits(on: timeline, behind: left.end)
            else { continue }
            let start = path.sections.last?.first ?? 0
            found.append(
                AbandonedBranch(
                    timeline: timeline, successor: path.timeline, fork: left.end,
                    first: own.first, last: own.last,
                    takeover: try commits(on: path.timeline, behind: start)?.first))
        }
        return found
    }

    /// Earliest and latest commit time behind a fork; nil when no commit is known there.
    private func commits(
        on timeline: TimelineID, behind fork: UInt64
    ) throws(TidemarkError) -> (first: CommitTime, last: CommitTime)? {
        var times: (first: CommitTime, last: CommitTime)?
        func add(_ first: CommitTime, _ last: CommitTime) {
            times = times.map { (min($0.first, first), max($0.last, last)) } ?? (first, last)
        }
        let segments = (snapshot.segments[timeline] ?? []).filter { snapshot.contentEnd($0) > fork }
        for segment in segments.prefix(Self.footerLimit) {
            for stretch in try stretches(of: segment, behind: fork) {
                add(stretch.earliest, stretch.latest)
            }
        }
        if times != nil, let last = segments.last, let time = snapshot.lastCommits[last.key] {
            add(time, time)
        }
        return times
    }

    /// The commits of one segment that begin at or behind the fork.
    private func stretches(
        of segment: SegmentListing, behind fork: UInt64
    ) throws(TidemarkError) -> [TimeIndexEntry] {
        let reader = try SegmentReader(repository.store, segment.key)
        defer { reader.close() }
        // A stretch of the index may reach across the fork, so there the records themselves count;
        // a stream that carries no times has only its index.
        if segment.range.first < fork, replayer.hasPointsInStream {
            return try scanned(segment, reader, behind: fork)
        }
        let index: [TimeIndexEntry]
        if let descriptor = reader.descriptor {
            index = descriptor.index
        } else {
            index = try SegmentReader.survey(
                repository.store, segment.key, first: segment.range.first,
                bytes: segment.range.length
            ).index.stretches
        }
        return index.filter { $0.position >= fork }
    }

    private func scanned(
        _ segment: SegmentListing, _ reader: SegmentReader, behind fork: UInt64
    ) throws(TidemarkError) -> [TimeIndexEntry] {
        let scan = replayer.scan(of: snapshot.descriptor, on: segment.range.timeline)
        var found: [TimeIndexEntry] = []
        var position = segment.range.first
        var more = true
        while more {
            more = try reader.read { (bytes) throws(TidemarkError) in
                try scan.take(bytes, at: position) { (entry) throws(TidemarkError) in
                    guard case .commit = entry.event, entry.first >= fork else { return }
                    let time = TimeIndexEntry(
                        position: entry.first, earliest: entry.time, latest: entry.time)
                    found = [found.first.map { $0.merged(time) } ?? time]
                }
                position = snapshot.style.advanced(position, by: bytes.byteCount)
            }
        }
        return found
    }
}
