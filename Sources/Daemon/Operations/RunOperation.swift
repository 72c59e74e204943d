package import Logging
package import Model
import Platform
import Repository
import ServiceLifecycle
import UnixSignals

/// `run`: the sidecar, until SIGTERM or SIGINT.
package struct RunOperation: Sendable {
    private let configuration: Configuration
    private let log: Logger
    private let takesBackups: Bool
    private let time = SystemTimeSource()

    /// - Parameter takesBackups: false streams only.
    package init(_ configuration: Configuration, log: Logger, takesBackups: Bool = true) {
        self.configuration = configuration
        self.log = log
        self.takesBackups = takesBackups
    }

    /// Returns after an orderly stop.
    package func run() async throws(TidemarkError) {
        for notice in configuration.notices { log.notice("\(notice)") }
        let parts = try await prepared().value()
        let first = FirstContact(parts.boards, stop: parts.stop)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                // The last is stopped first; nothing of it is needed for an orderly end.
                services: (parts.services as [any Service] + [first] + parts.monitoring).map {
                    .init(
                        service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup)
                },
                gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet()))
        do {
            try await group.run()
        } catch let error as TidemarkError {
            throw error
        } catch {
            // Its verdict stops the others, and who of them ends first is chance: the group may
            // call that unexpected.
            throw first.failure ?? TidemarkError(.failed, "the services ended", cause: error)
        }
        if let failure = first.failure { throw failure }
        log.info("stopped")
    }

    /// The service group reports nothing a reader of our log needs.
    private func quiet() -> Logger {
        var log = log
        log.logLevel = .error
        return log
    }

    private struct Parts: Sendable {
        var services: [SourceService] = []
        var boards: [SourceBoard] = []
        var monitoring: [any Service] = []
        var stop = StopSignal()
    }

    private func prepared() -> DedicatedThread<Parts> {
        DedicatedThread("tm-start") { () throws(TidemarkError) in
            let repository = try NewArchive(configuration: configuration, time: time)
                .openOrCreate()
            var parts = Parts()
            for source in configuration.sources {
                let board = SourceBoard(source.name, kind: source.kind, time: time)
                parts.boards.append(board)
                parts.services.append(try service(source, board, repository, parts.stop))
            }
            parts.monitoring = [
                try MonitoringService(
                    configuration, boards: parts.boards, repository, stop: parts.stop, time: time,
                    log: log)
            ]
            return parts
        }
    }

    private func service(
        _ source: SourceConfiguration, _ board: SourceBoard, _ repository: ArchiveRepository,
        _ stop: StopSignal
    ) throws(TidemarkError) -> SourceService {
        var log = log
        log[metadataKey: "source"] = "\(source.name)"
        let room = try Rooms.room(source, time: time)
        let codec = configuration.repository.compression.codec
        let options = Archiver.Options(configuration)
        let marks = WatermarkWriter(board, repository, time: time, log: log)
        return SourceService(
            turn: SourceTurn(
                repository: repository, board: board, stop: stop, time: time, log: log),
            archiver: Archiver(
                room: room, repository: repository, marks: marks, stop: stop, options: options,
                time: time, log: log),
            prober: Prober(room: room, marks: marks, stop: stop, time: time, log: log),
            keeper: takesBackups
                ? BackupKeeper(
                    room: room, repository: repository, board: board, stop: stop,
                    compression: codec, time: time, log: log) : nil,
            schedule: source.backupSchedule, stop: stop)
    }
}

extension Archiver.Options {
    package init(_ configuration: Configuration) {
        self.init(
            compression: configuration.repository.compression.codec,
            flushInterval: configuration.flushInterval.inSeconds,
            segmentAge: configuration.segmentAge.inSeconds)
    }
}
