import Logging
import Model
import Monitoring
import Platform
import ServiceLifecycle

/// Everything that is done for one source: its threads, started and stopped together.
///
/// At the end the stream stops first and flushes what it has; then the last watermark tells where
/// the archive ends, and the lease is given back. A server or a network that hangs holds nobody: a
/// thread that waits for an answer is left behind, since nothing of its work is unfinished.
package final class SourceService: Service {
    private let turn: SourceTurn
    private let archiver: Archiver
    private let prober: Prober
    private let keeper: BackupKeeper?
    private let schedule: Schedule?
    private let stop: StopSignal

    /// Seconds that an orderly end may take where nothing is left to be made durable.
    private static let endSeconds = 1.5

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
            // The signal reaches all sources at once, the group ends its services one after the
            // other, and takes one that returns before its turn for a failure.
            try await gracefulShutdown()
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
            DedicatedThread<Void>("tm-mark") {
                if board.waitUntilOurs(stop) { prober.keepWriting() }
            },
        ]
        while !stop.wait(seconds: 3600) {}
        let end = archiver.time.monotonic().advanced(bySeconds: Self.endSeconds)
        // An open stream flushes what has come, however long the disk takes.
        var isEnded = Self.join(stream, 0.05)
        while !isEnded, board.monitor.read({ $0.seen.isConnected }) || left(end) > 0 {
            isEnded = Self.join(stream, 0.05)
        }
        for other in others { isEnded = Self.join(other, left(end)) && isEnded }
        if !isEnded { archiver.log.notice("the source does not answer: not waited for") }
        prober.finish()
        done.raise()
        _ = Self.join(lease, Self.endSeconds)
    }

    private func left(_ end: MonotonicTime) -> Double {
        max(0, end.seconds(since: archiver.time.monotonic()))
    }

    /// Whether the thread has ended. Our threads throw nothing: their errors are in the log.
    private static func join(_ thread: DedicatedThread<Void>, _ seconds: Double) -> Bool {
        let ended: Void?? = try? thread.join(seconds: seconds)
        return (ended ?? nil) != nil
    }
}
