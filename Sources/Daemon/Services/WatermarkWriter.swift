import Logging
import Model
import Monitoring
import Platform
import Repository
import Synchronization

/// Writes down how far one source's archive is proved: once a second, and before the first byte of
/// a timeline is acknowledged.
package final class WatermarkWriter: Sendable {
    let board: SourceBoard
    private let repository: ArchiveRepository
    private let time: any TimeSource
    private let log: Logger
    /// Held while it is written, so that none is replaced by an older one.
    private let turn = Mutex(())

    init(
        _ board: SourceBoard, _ repository: ArchiveRepository, time: any TimeSource, log: Logger
    ) {
        self.board = board
        self.repository = repository
        self.time = time
        self.log = log
    }

    /// Writes what the board says now; a failure is told by the board, and once in the log.
    func write() {
        turn.withLock { _ in
            do throws(TidemarkError) { try writeNow() } catch { failed(error) }
        }
    }

    /// Returns once the archive says durably that the source is on this timeline.
    ///
    /// Of two timelines neither of which descends from the other nobody could tell later which one
    /// the source had been on last, and `latest` might be the other one: so nothing of a timeline
    /// is acknowledged, and nothing proved, before.
    func announce(_ start: Position) throws(TidemarkError) {
        board.entered(start)
        let failure = turn.withLock { _ -> TidemarkError? in
            let isKnown = board.monitor.read { $0.writtenTimeline == start.timeline }
            if isKnown { return nil }
            do throws(TidemarkError) { try writeNow() } catch { return error }
            return nil
        }
        guard let failure else { return }
        failed(failure)
        throw failure
    }

    private func writeNow() throws(TidemarkError) {
        guard let mark = board.watermark(time.reading()) else { return }
        board.writing.begin(time.monotonic())
        defer { board.writing.end() }
        try repository.putWatermark(board.source, mark)
        let isNews = board.monitor.update { state in
            defer { state.isRepositoryReachable = true }
            state.kept = state.tracker.proof
            if state.writtenTimeline != mark.timeline {
                // Whoever read the archive before knows of no proof that could be gone on from, or
                // of one that is about another timeline.
                state.changes += 1
            }
            state.writtenTimeline = mark.timeline
            return !state.isRepositoryReachable
        }
        if isNews { log.info("the watermark is written again") }
    }

    private func failed(_ error: TidemarkError) {
        let isNews = board.monitor.update { state in
            defer { state.isRepositoryReachable = false }
            return state.isRepositoryReachable
        }
        if isNews { log.error("cannot write the watermark: \(error)") }
    }
}
