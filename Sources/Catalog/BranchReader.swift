package import Model
package import Repository
import Segments
import Synchronization

/// What was read of sealed segments beside a fork, so that the next look does not read them again.
final class BranchMemory: Sendable {
    struct Seen: Hashable {
        var key: ObjectKey
        var storedBytes: UInt64
        var fork: UInt64
    }

    private let known = Mutex<[Seen: [TimeIndexEntry]]>([:])

    /// More than one look asks for is not kept.
    private static let limit = 4096

    func stretches(_ seen: Seen) -> [TimeIndexEntry]? { known.withLock { $0[seen] } }

    func keep(_ stretches: [TimeIndexEntry], _ seen: Seen) {
        known.withLock { known in
            if known.count >= Self.limit { known = [:] }
            known[seen] = stretches
        }
    }
}

/// Finds the abandoned branches beside a path, from names, footers and the segments of the forks.
package struct BranchReader {
    private let repository: ArchiveRepository
    private let replayer: any Replayer
    private let snapshot: CatalogSnapshot
    private let memory: BranchMemory

    /// Footers read in search of the first commit behind a fork.
    private static let footerLimit = 64

    package init(repository: ArchiveRepository, replayer: any Replayer, snapshot: CatalogSnapshot) {
        self.init(
            repository: repository, replayer: replayer, snapshot: snapshot, memory: BranchMemory())
    }

    /// - Parameter memory: what earlier looks have read.
    init(
        repository: ArchiveRepository, replayer: any Replayer, snapshot: CatalogSnapshot,
        memory: BranchMemory
    ) {
        self.repository = repository
        self.replayer = replayer
        self.snapshot = snapshot
        self.memory = memory
    }

    /// Oldest first.
    package func branches(off path: TimelinePath) throws(TidemarkError) -> [AbandonedBranch] {
        var found: [AbandonedBranch] = []
        for (section, next) in zip(path.sections, path.sections.dropFirst()) {
            guard let end = snapshot.end(of: section.timeline), end.ordinal > section.end,
                let own = try commits(
                    on: section.timeline, behind: section.end, isAbandoned: true)
            else { continue }
            found.append(
                AbandonedBranch(
                    timeline: section.timeline, successor: next.timeline, fork: section.end,
                    first: own.first, last: own.last,
                    takeover: try commits(
                        on: next.timeline, behind: section.end, isAbandoned: false)?.first))
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
                let own = try commits(on: timeline, behind: left.end, isAbandoned: true)
            else { continue }
            let start = path.sections.last?.first ?? 0
            found.append(
                AbandonedBranch(
                    timeline: timeline, successor: path.timeline, fork: left.end,
                    first: own.first, last: own.last,
                    takeover: try commits(
                        on: path.timeline, behind: start, isAbandoned: false)?.first))
        }
        return found
    }

    /// Earliest and latest commit time behind a fork; nil when no commit is known there.
    ///
    /// - Parameter isAbandoned: whether a damaged segment counts as one of commits since it begins;
    ///   that of a successor proves nothing.
    private func commits(
        on timeline: TimelineID, behind fork: UInt64, isAbandoned: Bool
    ) throws(TidemarkError) -> (first: CommitTime, last: CommitTime)? {
        var times: (first: CommitTime, last: CommitTime)?
        func add(_ first: CommitTime, _ last: CommitTime) {
            times = times.map { (min($0.first, first), max($0.last, last)) } ?? (first, last)
        }
        let segments = (snapshot.segments[timeline] ?? []).filter { snapshot.contentEnd($0) > fork }
        for segment in segments.prefix(Self.footerLimit) {
            do throws(TidemarkError) {
                for stretch in try remembered(segment, behind: fork) {
                    add(stretch.earliest, stretch.latest)
                }
            } catch let error where error.code == .archiveDamaged {
                guard isAbandoned else { continue }
                let since = try lastCommit(before: segment)
                add(since, since)
            }
        }
        if times != nil, let last = segments.last, let time = snapshot.lastCommits[last.key] {
            add(time, time)
        }
        return times
    }

    /// What a damaged segment holds was made after this.
    private func lastCommit(before damaged: SegmentListing) throws(TidemarkError) -> CommitTime {
        let earlier = (snapshot.segments[damaged.range.timeline] ?? []).filter {
            $0.state == .sealed && $0.range.last <= damaged.range.first
        }
        for segment in earlier.suffix(Self.footerLimit).reversed() {
            do throws(TidemarkError) {
                let index = try SegmentReader.index(repository.store, segment.key)
                if let last = index.last { return last.earliest }
            } catch let error where error.code == .archiveDamaged {
                continue
            }
        }
        return snapshot.descriptor.created
    }

    /// A sealed segment never changes.
    private func remembered(
        _ segment: SegmentListing, behind fork: UInt64
    ) throws(TidemarkError) -> [TimeIndexEntry] {
        guard segment.state == .sealed else { return try stretches(of: segment, behind: fork) }
        let seen = BranchMemory.Seen(
            key: segment.key, storedBytes: segment.storedBytes, fork: fork)
        if let known = memory.stretches(seen) { return known }
        let found = try stretches(of: segment, behind: fork)
        memory.keep(found, seen)
        return found
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
        guard segment.range.first < fork else { return index }
        let arrivals = ArrivalReader(store: repository.store, memory: ArrivalMemory())
        return Self.behind(fork, try arrivals.exact(index, segment.key, [fork]))
    }

    /// Of arrivals that are as exact at the fork as the archive can tell, what lies behind it. One
    /// that reaches across the fork and can be taken apart no more counts: what the branch alone
    /// has may be in it.
    static func behind(_ fork: UInt64, _ index: [TimeIndexEntry]) -> [TimeIndexEntry] {
        var found: [TimeIndexEntry] = []
        var floor: CommitTime?
        for (place, entry) in index.enumerated() {
            let known = entry.made(after: floor)
            floor = known.earliest
            let isAcross =
                place + 1 < index.count
                ? index[place + 1].position > fork : entry.earliest < entry.latest
            if entry.position >= fork || isAcross { found.append(known) }
        }
        return found
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
