import Logging
import Model
import Platform
import Repository

/// Makes sure that a source's stream is archived while a command of its own process needs it.
///
/// A sidecar that lives does it, and holds the stream's lease; where none does, this process takes
/// the lease and streams until the command is done.
final class StreamBeside {
    private let repository: ArchiveRepository
    private let board: SourceBoard
    private let stop = StopSignal()
    private var threads: [DedicatedThread<Void>] = []
    /// Nil while a sidecar has it.
    private var lease: ArchiveLease?
    private let time: any TimeSource

    init(
        _ room: any DatabaseRoom, _ repository: ArchiveRepository, _ options: Archiver.Options,
        time: any TimeSource, log: Logger
    ) throws(TidemarkError) {
        self.repository = repository
        self.time = time
        board = SourceBoard(room.source, kind: room.kind, time: time)
        do throws(TidemarkError) {
            lease = try ArchiveLease.acquire(repository.store, room.source, .stream, time)
        } catch let error where error.code == .failed {
            return
        }
        try SourceTurn(repository: repository, board: board, stop: stop, time: time, log: log)
            .takeUp()
        let marks = WatermarkWriter(board, repository, time: time, log: log)
        let archiver = Archiver(
            room: room, repository: repository, marks: marks, stop: stop, options: options,
            time: time, log: log)
        let prober = Prober(room: room, marks: marks, stop: stop, time: time, log: log)
        threads = [
            DedicatedThread("tm-stream") { archiver.run() },
            DedicatedThread("tm-probe") {
                prober.run()
                prober.finish()
            },
        ]
    }

    /// Seconds in which a stream has to open.
    private static let openingSeconds = 30.0

    /// What the stream says of the source when it first opens; waits for that.
    func descriptor() throws(TidemarkError) -> SourceDescriptor {
        let began = time.monotonic()
        while true {
            if let known = try repository.descriptor(board.source) { return known }
            guard time.monotonic().seconds(since: began) < Self.openingSeconds else { break }
            stop.wait(seconds: 0.1)
        }
        throw TidemarkError(
            .sourceUnreachable,
            "nothing of \(board.source) is archived yet, and its stream does not open",
            remedy: "start `tidemark run`, which archives it, then take the base backup again; "
                + "`tidemark check` tells what stands in the way",
            cause: board.monitor.read { $0.failure })
    }

    /// Returns once the archive holds `range`.
    func wait(
        for range: PositionRange, _ style: any PositionStyle
    ) throws(TidemarkError) {
        if threads.isEmpty {
            let stop = stop
            return try ArchivedWait(repository, board.source, style, clock: time) {
                stop.wait(seconds: $0)
            }.wait(for: range)
        }
        try board.waitArchived(
            range, stallSeconds: 120, clock: time, shouldStop: { false })
    }

    /// Ends the stream that was started here, flushed.
    func close() {
        stop.raise()
        for thread in threads {
            // The threads throw nothing: their errors are in the log.
            try? thread.join()
        }
        threads = []
        lease?.release()
        lease = nil
    }
}
