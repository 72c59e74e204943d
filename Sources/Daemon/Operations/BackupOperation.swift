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

    /// Throws what concerns all sources: the configuration, the repository.
    package func run() throws(TidemarkError) -> BackupOutcome {
        let repository = try NewArchive(configuration: configuration, time: time).openOrCreate()
        var outcome = BackupOutcome()
        for source in try configuration.select(sources) {
            do throws(TidemarkError) {
                outcome.taken.append(try take(source, repository))
            } catch {
                outcome.failures.append((source.name, error))
                if Self.concernsAll(error.code) { break }
            }
        }
        return outcome
    }

    /// Whether the next source would meet the same.
    private static func concernsAll(_ code: TidemarkError.Code) -> Bool {
        switch code {
        case .cancelled, .repositoryUnreachable, .repositoryFull, .repositoryReadOnly: true
        default: false
        }
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
                try stream.wait(for: range, Rooms.style(try stream.descriptor()))
            })
        // What comes in less than one piece was not told on the way.
        observer.advanced(to: taken.bytes)
        isDone = true
        return taken
    }
}
