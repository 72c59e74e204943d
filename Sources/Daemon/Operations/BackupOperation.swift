import Logging
package import Model
import Platform
import Repository

/// `backup`: a base backup now, of the named sources or of all, one after the other.
package struct BackupOperation: Sendable {
    private let configuration: Configuration
    private let sources: [SourceID]
    private let progress: any ProgressObserver
    private let time = SystemTimeSource()

    /// - Parameter sources: empty for all.
    package init(
        _ configuration: Configuration, sources: [SourceID], progress: any ProgressObserver
    ) {
        self.configuration = configuration
        self.sources = sources
        self.progress = progress
    }

    /// The backups taken, in order.
    package func run() throws(TidemarkError) -> [BaseBackupDescriptor] {
        let repository = try NewArchive(configuration: configuration, time: time).openOrCreate()
        var taken: [BaseBackupDescriptor] = []
        for source in try configuration.select(sources) {
            taken.append(try take(source, repository))
        }
        return taken
    }

    private func take(
        _ source: SourceConfiguration, _ repository: ArchiveRepository
    ) throws(TidemarkError) -> BaseBackupDescriptor {
        let archived = try repository.watermark(source.name)?.timeline
        let room = try Rooms.room(source, time: time, archived: archived)
        let inspector = room.inspector()
        defer { inspector.close() }
        // Asked first: a refused login must not wait behind a stream that cannot start either.
        _ = try inspector.sourceTime()
        let log = Logger(label: "tidemark") { _ in
            LineLogHandler(.text, level: .warning, time: SystemTimeSource())
        }
        let stream = try StreamBeside(
            room, repository, Archiver.Options(configuration), time: time, log: log)
        defer { stream.close() }
        progress.began("base backup of \(source.name)", total: nil)
        var isDone = false
        defer { progress.ended(isDone: isDone) }
        let observer = progress
        let taken = try BaseBackupTaking(
            room: room, repository: repository,
            compression: configuration.repository.compression.codec, time: time
        ).take(
            inspector: inspector, shouldStop: { false },
            progress: { observer.advanced(to: $0.bytes) },
            remark: { log.warning("base backup: the server said: \($0)") },
            waitArchived: { (range) throws(TidemarkError) in
                guard let descriptor = try repository.descriptor(source.name) else {
                    throw TidemarkError(
                        .archiveIncomplete, "nothing of \(source.name) is archived yet",
                        remedy: "see why its stream does not start: tidemark check")
                }
                try stream.wait(for: range, Rooms.style(descriptor))
            })
        // What comes in less than one piece was not told on the way.
        observer.advanced(to: taken.bytes)
        isDone = true
        return taken
    }
}
