package import Model
package import Monitoring

/// `restore --json`: what was restored, or with `--dry-run` would be.
package struct RestoreReport: Sendable, Encodable {
    package var sources: [RestoredSource]

    package init(sources: [RestoredSource]) { self.sources = sources }
}

/// One source of a restore or its plan.
package struct RestoredSource: Sendable, Encodable {
    package var name: SourceID
    package var target: String
    /// Where it was written.
    package var destination: String
    package var timeline: TimelineID
    /// Base backup it starts from.
    package var backup: String
    package var segments: Int
    /// Bytes read from the archive.
    package var storedBytes: UInt64
    /// Where recovery stops; nil for the end of the archive.
    package var stop: String?
    /// Newest source time that the copy holds for certain.
    package var reaches: Millis?
    /// Until a server runs at the target; nil when it cannot be told.
    package var estimatedSeconds: Double?
    /// What that rests on, or why there is none.
    package var estimateBasis: String
    /// What the operator should know.
    package var warnings: [String]
    /// What is good to know, and no problem.
    package var notes: [String] = []
    /// How a server is started on what was restored; nil where one runs.
    package var nextStep: String?
    /// How clients reach the server; only with `--start`.
    package var url: String?
    /// Measured from the command's start until the server answered; only with `--start`.
    package var rtoSeconds: Double?
    /// Its parts: planning, laying down the copy, recovery.
    package var planSeconds: Double?
    package var copySeconds: Double?
    package var recoverySeconds: Double?

    package init(
        name: SourceID, target: String, destination: String, timeline: TimelineID, backup: String,
        segments: Int, storedBytes: UInt64, stop: String?, reaches: CommitTime?,
        estimatedSeconds: Double?, estimateBasis: String, warnings: [String],
        url: String? = nil, rtoSeconds: Double? = nil
    ) {
        self.name = name
        self.target = target
        self.destination = destination
        self.timeline = timeline
        self.backup = backup
        self.segments = segments
        self.storedBytes = storedBytes
        self.stop = stop
        self.reaches = reaches.map(Millis.init)
        self.estimatedSeconds = estimatedSeconds
        self.estimateBasis = estimateBasis
        self.warnings = warnings
        self.url = url
        self.rtoSeconds = rtoSeconds
    }

    enum CodingKeys: String, CodingKey {
        case name, target, destination, timeline, backup, segments, stop, reaches, url
        case warnings, notes
        case storedBytes = "stored_bytes"
        case estimatedSeconds = "estimated_seconds"
        case estimateBasis = "estimate_basis"
        case nextStep = "next_step"
        case rtoSeconds = "rto_seconds"
        case planSeconds = "plan_seconds"
        case copySeconds = "copy_seconds"
        case recoverySeconds = "recovery_seconds"
    }
}
