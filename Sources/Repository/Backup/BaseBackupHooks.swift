package import Model

/// What a base backup asks of its caller while it runs; all on the calling thread.
package struct BaseBackupHooks {
    /// Told about once a mebibyte.
    package var progress: (BackupProgress) -> Void
    /// Asked about once a mebibyte; true ends the backup with `cancelled`.
    package var shouldStop: () -> Bool
    /// Told what the source said besides, at the end.
    package var remark: (String) -> Void
    /// The source's own clock, now.
    package var sourceTime: () throws(TidemarkError) -> CommitTime
    /// Returns once the archive holds all changes of the range; throws when it will not.
    package var waitArchived: (PositionRange) throws(TidemarkError) -> Void

    package init(
        progress: @escaping (BackupProgress) -> Void = { _ in },
        shouldStop: @escaping () -> Bool = { false },
        remark: @escaping (String) -> Void = { _ in },
        sourceTime: @escaping () throws(TidemarkError) -> CommitTime,
        waitArchived: @escaping (PositionRange) throws(TidemarkError) -> Void
    ) {
        self.progress = progress
        self.shouldStop = shouldStop
        self.remark = remark
        self.sourceTime = sourceTime
        self.waitArchived = waitArchived
    }
}
