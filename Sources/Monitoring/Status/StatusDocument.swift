package import Model

/// `status --json`; keys and shapes are a contract.
package struct StatusDocument: Sendable, Encodable {
    package struct Repository: Sendable, Encodable {
        package var url: String
        /// `ok` when it could be read just now, else why not.
        package var state: String
    }

    package var time: Millis
    package var repository: Repository
    package var sources: [SourceStatus]

    package init(time: CommitTime, repository: String, state: String, sources: [SourceStatus]) {
        self.time = Millis(time)
        self.repository = Repository(url: repository, state: state)
        self.sources = sources
    }
}

/// One source of `status --json`. Keys that have no value are written as null.
package struct SourceStatus: Sendable, Encodable {
    package var name: SourceID
    package var kind: DatabaseKind
    package var state: StreamState
    package var timeline: TimelineID?
    package var receivedPosition: String?
    package var archivedPosition: String?
    package var restorableTo: Millis?
    package var exposureSeconds: Double?
    package var rpoSeconds: Double
    package var objective: ObjectiveState
    package var recoveryWindows: [Window]
    package var gaps: [GapStatus]
    package var lastBackup: LastBackup?
    package var sourceWindow: SourceWindow?
    /// Why the state is what it is, in words; empty when all is well.
    package var reason: String
    /// The positions as numbers; not in the JSON.
    package var ordinals: Ordinals?
    /// Seconds since the database last answered a question; not in the JSON.
    package var answerAge: Double?

    /// Whether this program was asked to end; not in the JSON.
    package var isOurStop = false
    /// Whether it speaks of what is archived; before that is known it has no gaps to compare with.
    /// Not in the JSON.
    package var isRead = true

    /// Positions within the timeline: an LSN, an optime or an offset, as a number.
    package struct Ordinals: Sendable, Hashable {
        package var received: UInt64
        package var archived: UInt64

        package init(received: UInt64, archived: UInt64) {
            self.received = received
            self.archived = archived
        }
    }

    package struct Window: Sendable, Encodable {
        package var from: Millis
        package var to: Millis

        package init(_ window: RecoveryWindow) {
            from = Millis.notBefore(window.from)
            to = Millis(window.to)
        }
    }

    package struct GapStatus: Sendable, Encodable {
        package var timeline: TimelineID
        package var first: String
        package var last: String
        package var found: Millis
        package var reason: String

        package init(_ gap: Gap, _ style: any PositionStyle) {
            timeline = gap.timeline
            first = style.text(gap.first)
            last = style.text(gap.last)
            found = Millis(gap.found)
            reason = gap.reason
        }
    }

    package struct LastBackup: Sendable, Encodable {
        package var id: String
        package var finished: Millis
        package var bytes: UInt64
        package var storedBytes: UInt64
        /// From its start to its end; not in the JSON.
        package var seconds: Double
        /// What was found wrong while it was taken; not in the JSON, `list --json` has it.
        package var warnings: [String]

        package init(_ backup: BaseBackupDescriptor) {
            id = backup.id
            finished = Millis(backup.finished)
            bytes = backup.bytes
            storedBytes = backup.storedBytes
            seconds = backup.finished.seconds(since: backup.started)
            warnings = backup.warnings
        }

        enum CodingKeys: String, CodingKey {
            case id, finished, bytes
            case storedBytes = "stored_bytes"
        }
    }

    package init(
        name: SourceID, kind: DatabaseKind, state: StreamState, timeline: TimelineID?,
        receivedPosition: String?, archivedPosition: String?, restorableTo: CommitTime?,
        exposureSeconds: Double?, rpoSeconds: Double, recoveryWindows: [Window],
        gaps: [GapStatus], lastBackup: LastBackup?, sourceWindow: SourceWindow?, reason: String
    ) {
        self.name = name
        self.kind = kind
        self.state = state
        self.timeline = timeline
        self.receivedPosition = receivedPosition
        self.archivedPosition = archivedPosition
        self.restorableTo = restorableTo.map(Millis.init)
        self.exposureSeconds = exposureSeconds
        self.rpoSeconds = rpoSeconds
        self.objective = ObjectiveState(exposure: exposureSeconds, rpo: rpoSeconds)
        self.recoveryWindows = recoveryWindows
        self.gaps = gaps
        self.lastBackup = lastBackup
        self.sourceWindow = sourceWindow
        self.reason = reason
    }

    enum CodingKeys: String, CodingKey {
        case name, kind, state, timeline, objective, gaps, reason
        case receivedPosition = "received_position"
        case archivedPosition = "archived_position"
        case restorableTo = "restorable_to"
        case exposureSeconds = "exposure_seconds"
        case rpoSeconds = "rpo_seconds"
        case recoveryWindows = "recovery_windows"
        case lastBackup = "last_backup"
        case sourceWindow = "source_window"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(kind, forKey: .kind)
        try container.encode(state, forKey: .state)
        try container.encode(timeline, forKey: .timeline)
        try container.encode(receivedPosition, forKey: .receivedPosition)
        try container.encode(archivedPosition, forKey: .archivedPosition)
        try container.encode(restorableTo, forKey: .restorableTo)
        try container.encode(exposureSeconds, forKey: .exposureSeconds)
        try container.encode(rpoSeconds, forKey: .rpoSeconds)
        try container.encode(objective, forKey: .objective)
        try container.encode(recoveryWindows, forKey: .recoveryWindows)
        try container.encode(gaps, forKey: .gaps)
        try container.encode(lastBackup, forKey: .lastBackup)
        try container.encode(sourceWindow, forKey: .sourceWindow)
        try container.encode(reason, forKey: .reason)
    }
}
