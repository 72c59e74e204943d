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
    package var backups: [ListedBackup]
    package var points: [ListedPoint]
    package var gaps: [SourceStatus.GapStatus]

    package init(
        name: SourceID, kind: DatabaseKind, recoveryWindows: [SourceStatus.Window],
        backups: [ListedBackup], points: [ListedPoint], gaps: [SourceStatus.GapStatus]
    ) {
        self.name = name
        self.kind = kind
        self.recoveryWindows = recoveryWindows
        self.backups = backups
        self.points = points
        self.gaps = gaps
    }

    enum CodingKeys: String, CodingKey {
        case name, kind, backups, points, gaps
        case recoveryWindows = "recovery_windows"
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

    package init(_ backup: BaseBackupDescriptor, _ style: any PositionStyle) {
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
        case id, timeline, started, finished, start, end, bytes, warnings
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
