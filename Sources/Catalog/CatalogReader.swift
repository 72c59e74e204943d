package import Model
package import Repository
import Segments

/// Reads what is needed for a snapshot: names, documents, the open segments, and the footers at the
/// ends of stretches. Blocking.
///
/// An unreachable or foreign store is an error, never an empty catalog.
package struct CatalogReader: Sendable {
    private let repository: ArchiveRepository
    private let replayer: any Replayer
    private let arrivals: ArrivalReader
    private let branches: BranchMemory

    /// Footers read backwards from the end of a stretch in search of a commit.
    private static let footerLimit = 64
    /// An open segment may be sealed between listing and reading; then everything is listed again.
    private static let attempts = 5

    /// - Parameter memory: what earlier looks have read; for whoever looks again and again.
    package init(
        _ repository: ArchiveRepository, _ replayer: any Replayer,
        memory: CatalogMemory? = nil
    ) {
        let memory = memory ?? CatalogMemory()
        self.repository = repository
        self.replayer = replayer
        arrivals = ArrivalReader(store: repository.store, memory: memory.arrivals)
        branches = memory.branches
    }

    /// - Parameters:
    ///   - withCommits: whether `lastCommits` is wanted, which costs reading footers.
    ///   - withWindows: whether `arrivals` and `branches` are wanted, without which the windows are
    ///     not told as a restore sees them; where times are those of arrival it costs reading all
    ///     footers.
    package func read(
        _ source: SourceID, withCommits: Bool = true, withWindows: Bool = false
    ) throws(TidemarkError) -> CatalogSnapshot {
        try repository.open()
        guard let descriptor = try repository.descriptor(source) else {
            let known = try repository.sources().map(\.source.name).joined(separator: ", ")
            throw TidemarkError(
                .configuration, "the archive at \(repository.store.url) has no source \(source)",
                remedy: known.isEmpty ? "nothing is archived there yet" : "it has: \(known)")
        }
        var attempt = 1
        var doubt: Doubt?
        while true {
            do throws(TidemarkError) {
                let snapshot = try read(descriptor, withCommits, withWindows)
                let found = Doubt(snapshot)
                if found == nil || found == doubt || attempt == Self.attempts { return snapshot }
                doubt = found
                attempt += 1
            } catch let error where error.code == .notFound && attempt < Self.attempts {
                attempt += 1
            }
        }
    }

    /// What seems to be missing. A listing may miss the file that is being sealed, so this is
    /// believed only when it is found twice; what is lost stays lost.
    private struct Doubt: Equatable {
        var hole: PositionRange?
        var end: Position?

        init?(_ snapshot: CatalogSnapshot) {
            hole = snapshot.newestHole
            end = snapshot.shortfall?.end
            if hole == nil, end == nil { return nil }
        }
    }

    /// The stretch that is missing behind the newest base backup on the source's line; nil when
    /// nothing is.
    ///
    /// Names are enough to say that nothing is. Where they say that something is, the open segments
    /// are read: that of a timeline which was left ends where its content does.
    package func newestHole(_ source: SourceID) throws(TidemarkError) -> PositionRange? {
        guard let descriptor = try repository.descriptor(source) else { return nil }
        let style = replayer.style(segmentBytes: descriptor.segmentBytes)
        let watermark = try repository.watermark(source)
        let listing = try repository.stream(source, style)
        let named = CatalogSnapshot(
            descriptor: descriptor, style: style, segments: listing.segments,
            ancestors: try TimelineReader(repository, replayer).ancestors(listing),
            backups: try repository.baseBackups(source).whole, watermark: watermark)
        guard named.newestHole != nil else { return nil }
        return try read(source, withCommits: false).newestHole
    }

    private func read(
        _ descriptor: SourceDescriptor, _ withCommits: Bool, _ withWindows: Bool
    ) throws(TidemarkError) -> CatalogSnapshot {
        let source = descriptor.source
        let style = replayer.style(segmentBytes: descriptor.segmentBytes)
        // The watermark first: what it speaks of is in the listing that follows.
        let watermark = try repository.watermark(source)
        let pushed = try repository.pushed(source)
        let listing = try repository.stream(source, style)
        let backups = try repository.baseBackups(source)
        var snapshot = CatalogSnapshot(
            descriptor: descriptor, style: style, segments: listing.segments,
            ancestors: try TimelineReader(repository, replayer).ancestors(listing),
            backups: backups.whole, gaps: try repository.gaps(source),
            points: try repository.points(source), watermark: watermark, pushed: pushed)
        snapshot.brokenBackups = backups.broken
        snapshot.isTimedByArrival = !replayer.hasPointsInStream
        snapshot.lateLosses = try lateLosses(listing)
        for timeline in listing.timelines {
            for segment in listing.segments[timeline] ?? [] where segment.state == .open {
                try survey(segment, into: &snapshot)
            }
            if withCommits { try findLastCommits(timeline, &snapshot) }
        }
        guard withWindows else { return snapshot }
        if snapshot.isTimedByArrival { try readArrivals(&snapshot) }
        let reader = BranchReader(
            repository: repository, replayer: replayer, snapshot: snapshot, memory: branches)
        for line in snapshot.lines {
            snapshot.branches[line.timeline] = try reader.branches(off: line)
        }
        return snapshot
    }

    private func lateLosses(
        _ listing: StreamListing
    ) throws(TidemarkError) -> [TimelineID: LateLoss] {
        guard let name = replayer.lateDocument else { return [:] }
        var found: [TimelineID: LateLoss] = [:]
        for (timeline, documents) in listing.documents {
            guard let key = documents[name] else { continue }
            let content = try TimelineDocument.read(repository.store, key)
            found[timeline] = replayer.lateLoss(content, on: timeline)
        }
        return found
    }

    private func survey(
        _ segment: SegmentListing, into snapshot: inout CatalogSnapshot
    ) throws(TidemarkError) {
        let survey = try SegmentReader.survey(
            repository.store, segment.key, first: segment.range.first,
            bytes: segment.range.length)
        let end = survey.reach(from: segment.range.first)
        // A name without an end is that of a segment whose end is not known beforehand.
        snapshot.openEnds[segment.key] =
            segment.range.isEmpty ? end : min(end, segment.range.last)
        if survey.resumesAt != nil { snapshot.damaged.insert(segment.key) }
        let index = survey.index.stretches
        snapshot.lastCommits[segment.key] = index.last?.latest
        guard snapshot.isTimedByArrival else { return }
        let forks = snapshot.forks(in: segment)
        snapshot.arrivals[segment.key] = Arrivals(
            try arrivals.exact(index, segment.key, forks), forks: forks)
    }

    /// Of sealed segments; the open ones have been looked at.
    private func readArrivals(_ snapshot: inout CatalogSnapshot) throws(TidemarkError) {
        let segments = snapshot.segments.values.flatMap { $0 }
        let late = segments.filter { snapshot.arrivals[$0.key]?.beginsLate ?? false }.map {
            Position(timeline: $0.range.timeline, ordinal: $0.range.first)
        }
        let sealed = try arrivals.read(
            segments.map { ($0, snapshot.forks(in: $0)) }, lateStarts: Set(late))
        snapshot.arrivals.merge(sealed) { _, new in new }
    }

    /// Reads footers backwards from the end of each stretch until one knows a commit.
    private func findLastCommits(
        _ timeline: TimelineID, _ snapshot: inout CatalogSnapshot
    ) throws(TidemarkError) {
        let segments = snapshot.segments[timeline] ?? []
        var isEnd = true
        var left = 0
        for (index, segment) in segments.enumerated().reversed() {
            if index + 1 < segments.count {
                isEnd = snapshot.contentEnd(segment) < segments[index + 1].range.first
            }
            if isEnd { left = Self.footerLimit }
            guard left > 0 else { continue }
            left -= 1
            if segment.state == .sealed {
                let reader = try SegmentReader(repository.store, segment.key)
                defer { reader.close() }
                snapshot.lastCommits[segment.key] = reader.descriptor?.index.last?.latest
            }
            if snapshot.lastCommits[segment.key] != nil { left = 0 }
        }
    }
}
