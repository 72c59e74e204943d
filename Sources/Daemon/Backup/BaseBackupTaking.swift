package import Model
package import Platform
package import Repository
package import Segments

/// One base backup of one room, with the settings both `run` and `backup` use.
package struct BaseBackupTaking {
    private let room: any DatabaseRoom
    private let repository: ArchiveRepository
    private let compression: Compression
    private let time: any TimeSource

    package init(
        room: any DatabaseRoom, repository: ArchiveRepository, compression: Compression,
        time: any TimeSource
    ) {
        self.room = room
        self.repository = repository
        self.compression = compression
        self.time = time
    }

    /// Blocks until the backup exists.
    ///
    /// - Parameters:
    ///   - remark: told what the source said besides.
    ///   - inspector: asked for the source's clock at the end.
    ///   - waitArchived: returns once the archive holds the range.
    package func take(
        inspector: any SourceInspector, shouldStop: @escaping () -> Bool,
        progress: @escaping (BackupProgress) -> Void, remark: @escaping (String) -> Void,
        waitArchived: @escaping (PositionRange) throws(TidemarkError) -> Void
    ) throws(TidemarkError) -> BaseBackupDescriptor {
        let options = BaseBackupOptions(
            workers: BaseBackupOptions.defaultWorkers, compression: compression)
        let time = time
        let hooks = BaseBackupHooks(
            progress: progress, shouldStop: shouldStop, remark: remark,
            sourceTime: { () throws(TidemarkError) in
                try inspector.sourceTime() ?? time.wall()
            }, waitArchived: waitArchived)
        return try BaseBackupWriter(repository, clock: time, options: options)
            .take(room.baseBackup(), of: room.source, hooks)
    }
}
