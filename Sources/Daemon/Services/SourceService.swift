import Model
import Platform
import ServiceLifecycle

/// Everything that is done for one source: its threads, started and stopped together.
///
/// At the end the stream stops first and flushes what it has; the prober stays until then, so that
/// the last watermark tells where the archive ends.
package final class SourceService: Service {
    private let archiver: Archiver
    private let prober: Prober
    private let keeper: BackupKeeper?
    private let schedule: Schedule?
    private let stop: StopSignal

    package init(
        archiver: Archiver, prober: Prober, keeper: BackupKeeper?, schedule: Schedule?,
        stop: StopSignal
    ) {
        self.archiver = archiver
        self.prober = prober
        self.keeper = keeper
        self.schedule = schedule
        self.stop = stop
    }

    /// Returns after a graceful shutdown, or when the stop signal was raised otherwise.
    package func run() async throws {
        let stop = stop
        try await withGracefulShutdownHandler {
            try await work()
        } onGracefulShutdown: {
            stop.raise()
        }
    }

    private func work() async throws(TidemarkError) {
        let (archiver, prober, keeper, schedule) = (archiver, prober, keeper, schedule)
        let name = archiver.board.source.name
        let stream = DedicatedThread<Void>("tm-" + name) { archiver.run() }
        let backups = DedicatedThread<Void>("tm-base") { keeper?.run(schedule) }
        let probes = DedicatedThread<Void>("tm-probe") { prober.run() }
        try await stream.value()
        try await backups.value()
        try await probes.value()
        try await DedicatedThread<Void>("tm-probe") { prober.finish() }.value()
    }
}
