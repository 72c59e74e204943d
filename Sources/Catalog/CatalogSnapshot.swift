package import Model
package import Repository

/// What the archive says about one source at one moment; plain values, nothing is read through it.
package struct CatalogSnapshot: Sendable {
    package var descriptor: SourceDescriptor
    package var style: any PositionStyle
    /// By timeline, ascending by position.
    package var segments: [TimelineID: [SegmentListing]]
    /// Descent of every timeline, oldest ancestor first.
    package var ancestors: [TimelineID: [Ancestor]]
    /// Where the content of an open segment ends; a sealed one ends where its name says.
    package var openEnds: [ObjectKey: UInt64]
    /// Open segments that are damaged: whole frames follow a place that is not whole.
    package var damaged: Set<ObjectKey> = []
    /// Time of the last commits in a segment, in the order of the stream; only for those whose
    /// contents were looked at.
    package var lastCommits: [ObjectKey: CommitTime]
    /// Whether the times of its history are those at which it came: the stream carries none.
    package var isTimedByArrival = false
    /// Then what each segment tells of them; only for those that were looked at.
    package var arrivals: [ObjectKey: Arrivals] = [:]
    /// What was abandoned beside each of `lines`, by the timeline that it ends with; only where
    /// windows were wanted.
    package var branches: [TimelineID: [AbandonedBranch]] = [:]
    /// What timelines lack amid what they have.
    package var lateLosses: [TimelineID: LateLoss] = [:]
    /// Oldest first.
    package var backups: [BaseBackupDescriptor]
    /// Those that lack a file, which no restore can use; oldest first.
    package var brokenBackups: [BrokenBackup] = []
    package var gaps: [Gap]
    package var points: [RestorePoint]
    package var watermark: Watermark?
    package var pushed: PushedMark?

    package init(
        descriptor: SourceDescriptor, style: any PositionStyle,
        segments: [TimelineID: [SegmentListing]] = [:],
        ancestors: [TimelineID: [Ancestor]] = [:], openEnds: [ObjectKey: UInt64] = [:],
        lastCommits: [ObjectKey: CommitTime] = [:], backups: [BaseBackupDescriptor] = [],
        gaps: [Gap] = [], points: [RestorePoint] = [], watermark: Watermark? = nil,
        pushed: PushedMark? = nil
    ) {
        self.descriptor = descriptor
        self.style = style
        self.segments = segments
        self.ancestors = ancestors
        self.openEnds = openEnds
        self.lastCommits = lastCommits
        self.backups = backups
        self.gaps = gaps
        self.points = points
        self.watermark = watermark
        self.pushed = pushed
    }

    package var source: SourceID { descriptor.source }

    /// Every timeline that has segments or a base backup.
    package var timelines: [TimelineID] {
        Set(segments.keys).union((backups + brokenBackups.map(\.backup)).map(\.timeline)).sorted()
    }

    /// Whether the archive has anything of a timeline, if only where it began.
    package func knows(_ timeline: TimelineID) -> Bool {
        timelines.contains(timeline) || ancestors[timeline] != nil
    }

    /// The timeline that the source is on: the watermark's, or the newest that has anything.
    package var currentTimeline: TimelineID? {
        TimelineOrder(ancestors: ancestors).newest(
            of: timelines, marked: watermark?.timeline, evidence: lastSeen)
    }

    /// Whether the source went over to another history after this was read. Where it left the one
    /// that was read is not known yet, so nothing is promised of that.
    package func isLeft(for mark: Watermark?) -> Bool {
        guard let mark else { return false }
        return mark.timeline != currentTimeline
    }

    /// When a timeline was alive, as far as is known.
    private func lastSeen(_ timeline: TimelineID) -> CommitTime? {
        let commits = (segments[timeline] ?? []).compactMap { lastCommits[$0.key] }
        let taken = backups.filter { $0.timeline == timeline }.map(\.finished)
        return (commits + taken).max()
    }

    /// The line of descent that the source is on, and before it those that lost history cut off,
    /// oldest first.
    package var lines: [TimelinePath] {
        guard let current = currentTimeline else { return [] }
        var lines = [path(to: current)]
        var seen: Set<TimelineID> = []
        while let root = lines.first?.sections.first?.timeline, seen.insert(root).inserted,
            let gap = gaps.last(where: { $0.nextTimeline == root && $0.timeline != root })
        {
            lines.insert(path(to: gap.timeline), at: 0)
        }
        return lines
    }

    package func path(to timeline: TimelineID) -> TimelinePath {
        TimelinePath(timeline, ancestors: ancestors[timeline] ?? [])
    }

    /// First position behind the content of a segment.
    package func contentEnd(_ segment: SegmentListing) -> UInt64 {
        guard segment.state == .open else { return segment.range.last }
        return openEnds[segment.key] ?? segment.range.first
    }

    /// End of the newest archived bytes of a timeline; nil when there are none.
    package func end(of timeline: TimelineID) -> Position? {
        guard let last = segments[timeline]?.last else { return nil }
        return Position(timeline: timeline, ordinal: contentEnd(last))
    }

    /// Where other timelines leave a segment's own, in it or at its end; ascending.
    func forks(in segment: SegmentListing) -> [UInt64] {
        let ends = ancestors.values.joined().filter { $0.timeline == segment.range.timeline }
            .map(\.end)
        return Set(ends).filter {
            segment.range.first < $0 && (segment.state == .open || $0 <= segment.range.last)
        }.sorted()
    }

    /// Base backups that replay along `path`, oldest first.
    package func backups(on path: TimelinePath) -> [BaseBackupDescriptor] {
        backups.filter {
            path.passes(Position(timeline: $0.timeline, ordinal: $0.start))
                && path.passes(Position(timeline: $0.timeline, ordinal: $0.end))
        }
    }

    /// Stretches that are missing behind a base backup on one of `lines`, and that no gap record
    /// explains; in the order of the lines.
    package var unexplainedHoles: [PositionRange] {
        var holes: [PositionRange] = []
        for line in lines {
            for backup in backups(on: line) {
                let start = Position(timeline: backup.timeline, ordinal: backup.start)
                guard let hole = chain(on: line, from: start).hole, gap(at: hole) == nil,
                    !holes.contains(hole)
                else { continue }
                holes.append(hole)
            }
        }
        return holes
    }

    /// The recorded gap that a missing stretch belongs to.
    package func gap(at hole: PositionRange) -> Gap? {
        gaps.first {
            $0.timeline == hole.timeline && $0.first < hole.last && hole.first < $0.last
        } ?? gaps.first { $0.timeline == hole.timeline && $0.first == hole.first }
    }
}
