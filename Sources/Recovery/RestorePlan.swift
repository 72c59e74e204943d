package import Catalog
package import Model

/// What a restore will do, decided before anything is written.
package struct RestorePlan: Sendable {
    package var descriptor: SourceDescriptor
    package var target: RecoveryTarget
    /// The line of descent that recovery follows.
    package var path: TimelinePath
    package var backup: BaseBackupDescriptor
    /// Segments that replay reads, in order.
    package var chain: Chain
    /// Nil when everything the archive has is wanted.
    package var stop: RecoveryStop?
    /// Without a stop: the end of the last whole record, which recovery must reach.
    package var archiveEnd: UInt64?
    /// Newest source time that the restored copy holds for certain; nil when not known.
    package var reaches: CommitTime?
    /// What the operator should know: what will be missing, what is unsound.
    package var warnings: [String]
    /// All timelines that the archive has of the source.
    package var timelines: Set<TimelineID> = []

    /// The timeline recovery follows, always named explicitly.
    package var timeline: TimelineID { path.timeline }

    /// Bytes read from the repository.
    package var storedBytes: UInt64 { backup.storedBytes + chain.storedBytes }
    /// Bytes of history to replay.
    package var replayBytes: UInt64 {
        let end = stop?.end ?? chain.end.ordinal
        return end > backup.start ? end - backup.start : 0
    }

    /// Adds what the restored copy will lack although it was archived.
    mutating func warn(of branches: [AbandonedBranch]) {
        let end = stop?.end ?? UInt64.max
        warnings += branches.filter { $0.fork < end }.map(\.warning)
    }
}

/// A base backup with the history that could be replayed on it.
package struct Candidate: Hashable, Sendable {
    package var backup: BaseBackupDescriptor
    package var chain: Chain
}
