import Logging
import Model
import Platform
import ServiceLifecycle

/// Everything that is done for one source: its threads, started and stopped together.
///
/// At the end the stream stops first and flushes what it has; then the last watermark tells where
/// the archive ends, and the lease is given back.
package final class SourceService: Service {
    private let turn: SourceTurn
    private let archiver: Archiver
    private let prober: Prober
    private let keeper: BackupKeeper?
    private let schedule: Schedule?
    private let stop: StopSignal

    init(
        turn: SourceTurn, archiver: Archiver, prober: Prober, keeper: BackupKeeper?,
        schedule: Schedule?, stop: StopSignal
    ) {
        self.turn = turn
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
            try await DedicatedThread<Void>("tm-source") { self.work() }.value()
        } onGracefulShutdown: {
            stop.raise()
        }
    }

    /// Blocks until everything has ended after the stop signal.
    private func work() {
        let (turn, archiver, prober, keeper) = (turn, archiver, prober, keeper)
        let (board, stop, schedule) = (archiver.board, stop, schedule)
        let done = StopSignal()
        let lease = DedicatedThread<Void>("tm-lease") { turn.hold(until: done) }
        let stream = DedicatedThread<Void>("tm-" + board.source.name) {
            if board.waitUntilOurs(stop) { archiver.run() }
        }
        let others = [
            DedicatedThread<Void>("tm-base") {
                if board.waitUntilOurs(stop) { keeper?.run(schedule) }
            },
            DedicatedThread<Void>("tm-probe") { if board.waitUntilOurs(stop) { prober.run() } },
        ]
        while !stop.wait(seconds: 3600) {}
        for thread in [stream] + others {
            // Our threads throw nothing: their errors are in the log.
            try? thread.join()
        }
        prober.finish()
        done.raise()
        try? lease.join()
    }
}
