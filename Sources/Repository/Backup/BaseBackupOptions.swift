package import Model
import Platform
package import Segments

/// How a base backup is taken.
package struct BaseBackupOptions: Sendable {
    /// What the source calls it while it runs.
    package var label: String
    /// Ask for an immediate checkpoint instead of waiting for the next one, which can take minutes.
    package var isFast: Bool
    /// Threads that compress; at least one.
    package var workers: Int
    package var compression: Compression
    /// LZ4 only, see `Compression.encoder`.
    package var acceleration: Int32

    /// As many as there are processors, at least two and at most four.
    package static var defaultWorkers: Int { max(2, min(4, Machine.processors)) }

    package init(
        label: String = "tidemark", isFast: Bool = true, workers: Int,
        compression: Compression = .lz4, acceleration: Int32 = 1
    ) {
        precondition(workers > 0, "somebody has to compress")
        self.compression = compression
        self.acceleration = acceleration
        self.label = label
        self.isFast = isFast
        self.workers = workers
    }
}

/// What a base backup asks of its caller while it runs; all on the calling thread.
package struct BaseBackupHooks {
    /// Told about once a mebibyte.
    package var progress: (BackupProgress) -> Void
    /// Asked about once a mebibyte; true ends the backup with `cancelled`.
    package var shouldStop: () -> Bool
    /// The source's own clock, now.
    package var sourceTime: () throws(TidemarkError) -> CommitTime
    /// Returns once the archive holds all changes of the range; throws when it will not.
    package var waitArchived: (PositionRange) throws(TidemarkError) -> Void

    package init(
        progress: @escaping (BackupProgress) -> Void = { _ in },
        shouldStop: @escaping () -> Bool = { false },
        sourceTime: @escaping () throws(TidemarkError) -> CommitTime,
        waitArchived: @escaping (PositionRange) throws(TidemarkError) -> Void
    ) {
        self.progress = progress
        self.shouldStop = shouldStop
        self.sourceTime = sourceTime
        self.waitArchived = waitArchived
    }
}
