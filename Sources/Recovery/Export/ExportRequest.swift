package import Model

/// What `export` is told about its source.
package struct ExportRequest: Sendable {
    package var source: SourceID
    /// Nil: from the base backup that a restore to `end` would use, whose files come along.
    package var start: RecoveryTarget?
    package var end: RecoveryTarget
    /// Nil for the timeline the source is on.
    package var timeline: TimelineID?
    /// Absolute path of the folder for the files.
    package var destination: String
    /// The repository's folder; nil where it is no folder of this machine.
    package var repositoryFolder: String?
    /// Write into a folder that holds something; files of the same names are replaced.
    package var force: Bool

    package init(
        source: SourceID, start: RecoveryTarget?, end: RecoveryTarget, timeline: TimelineID?,
        destination: String, repositoryFolder: String?, force: Bool
    ) {
        self.source = source
        self.start = start
        self.end = end
        self.timeline = timeline
        self.destination = destination
        self.repositoryFolder = repositoryFolder
        self.force = force
    }
}

/// What `export` has written.
package struct ExportOutcome: Sendable {
    package var descriptor: SourceDescriptor
    package var timeline: TimelineID
    /// The stretch: `first` up to `last`, which is not part of it.
    package var first: UInt64
    package var last: UInt64
    /// The base backup whose files came along.
    package var backup: String?
    /// Absolute paths, in the order in which they were written.
    package var files: [String]
    package var bytes: UInt64
}
