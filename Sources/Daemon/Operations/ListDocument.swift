package import Catalog
package import Model
package import Monitoring

/// `list --json`: base backups, restore points, gaps and recovery windows of every source.
package struct ListDocument: Sendable, Encodable {
    package var sources: [ListedSource]

    package init(sources: [ListedSource]) { self.sources = sources }
}

/// One source of `list`.
package struct ListedSource: Sendable, Encodable {
    package var name: SourceID
    package var kind: DatabaseKind
    package var recoveryWindows: [SourceStatus.Window]
    package var doubts: [ListedDoubt]
    package var timelines: [ListedTimeline]
    package var backups: [ListedBackup]
    package var points: [ListedPoint]
    package var gaps: [SourceStatus.GapStatus]
    /// Stretches that are missing and that no gap record explains.
    package var missing: [ListedStretch]

    package init(
        name: SourceID, kind: DatabaseKind, recoveryWindows: [SourceStatus.Window],
        doubts: [ListedDoubt] = [], timelines: [ListedTimeline], backups: [ListedBackup],
        points: [ListedPoint],
        gaps: [SourceStatus.GapStatus], missing: [ListedStretch] = []
    ) {
        self.name = name
        self.kind = kind
        self.recoveryWindows = recoveryWindows
        self.doubts = doubts
        self.timelines = timelines
        self.backups = backups
        self.points = points
        self.gaps = gaps
        self.missing = missing
    }

    enum CodingKeys: String, CodingKey {
        case name, kind, doubts, timelines, backups, points, gaps, missing
        case recoveryWindows = "recovery_windows"
    }
}

/// A stretch of one timeline.
package struct ListedStretch: Sendable, Encodable {
    package var timeline: TimelineID
    package var first: String
    package var last: String

    package init(_ range: PositionRange, _ style: any PositionStyle) {
        timeline = range.timeline
        first = style.text(range.first)
        last = style.text(range.last)
    }
}

/// One timeline of `list`.
package struct ListedTimeline: Sendable, Encodable {
    package var id: TimelineID
    /// The timeline that it left, and where; nil for a first one.
    package var parent: TimelineID?
    package var fork: String?
    /// End of what is archived of it; nil when nothing is.
    package var end: String?
    /// The source is on it.
    package var isCurrent: Bool
    /// It went on behind the place where the current line left it: history that nobody else has.
    package var isBranch: Bool

    package init(_ timeline: TimelineID, _ snapshot: CatalogSnapshot) {
        let style = snapshot.style
        let parent = snapshot.ancestors[timeline]?.last
        let end = snapshot.end(of: timeline)?.ordinal
        id = timeline
        self.parent = parent?.timeline
        fork = parent.map { style.text($0.end) }
        self.end = end.map { style.text($0) }
        isCurrent = timeline == snapshot.currentTimeline
        // Positions count bytes, and a timeline's own last segment may reach behind the fork
        // where segments have a fixed size; that is no history of its own.
        let sections = snapshot.lines.compactMap { $0.section(of: timeline) }
        isBranch =
            end.map { end in sections.allSatisfy { $0.end < end } } ?? false
    }

    enum CodingKeys: String, CodingKey {
        case id, parent, fork, end
        case isCurrent = "current"
        case isBranch = "branch"
    }
}

/// One base backup of `list`.
package struct ListedBackup: Sendable, Encodable {
    package var id: String
    package var timeline: TimelineID
    package var started: Millis
    package var finished: Millis
    /// From where to where the history must be replayed at least.
    package var start: String
    package var end: String
    package var bytes: UInt64
    package var storedBytes: UInt64
    package var warnings: [String]
    /// Why no restore can use it: the file that is missing or cut short; nil for a whole one.
    package var broken: String?

    package init(
        _ backup: BaseBackupDescriptor, _ style: any PositionStyle, broken: String? = nil
    ) {
        self.broken = broken
        id = backup.id
        timeline = backup.timeline
        started = Millis(backup.started)
        finished = Millis(backup.finished)
        start = style.text(backup.start)
        end = style.text(backup.end)
        bytes = backup.bytes
        storedBytes = backup.storedBytes
        warnings = backup.warnings
    }

    enum CodingKeys: String, CodingKey {
        case id, timeline, started, finished, start, end, bytes, warnings, broken
        case storedBytes = "stored_bytes"
    }
}

/// One restore point of `list` and `mark`.
package struct ListedPoint: Sendable, Encodable {
    package var name: String
    package var timeline: TimelineID
    package var position: String
    package var time: Millis

    package init(_ point: RestorePoint, _ style: any PositionStyle) {
        name = point.name
        timeline = point.timeline
        position = style.text(point.position)
        time = Millis(point.time)
    }
}
