package import Logging
package import Model
import Monitoring
package import Platform
package import Repository
package import Segments

/// Takes the base backups of one source, when `BackupSchedule` says so.
///
/// A thread of its own: it reads for minutes, and waits for the stream to archive what it needs.
package final class BackupKeeper: Sendable {
    private let room: any DatabaseRoom
    private let repository: ArchiveRepository
    private let board: SourceBoard
    private let stop: StopSignal
    private let compression: Compression
    private let time: any TimeSource
    private let log: Logger

    /// Seconds between two looks at the situation; also bounds how long a clock step is unseen.
    private static let lookSeconds = 5.0
    /// Seconds without any progress of the stream after which a backup that waits for it fails.
    private static let stallSeconds = 600.0

    package init(
        room: any DatabaseRoom, repository: ArchiveRepository, board: SourceBoard,
        stop: StopSignal, compression: Compression, time: any TimeSource, log: Logger
    ) {
        self.room = room
        self.repository = repository
        self.board = board
        self.stop = stop
        self.compression = compression
        self.time = time
        self.log = log
    }

    /// Blocks until the stop signal.
    package func run(_ schedule: Schedule?) {
        var plan = BackupSchedule(schedule, since: time.wall())
        var watch = ChainWatch(repository, room.source, room.kind)
        waitForStream()
        while !stop.isRaised {
            do throws(TidemarkError) {
                if let missing = try watch.missing(time.monotonic()) {
                    log.error("\(missing): nothing after it can be restored")
                    board.monitor.update { $0.backupNeeded = missing }
                }
                let situation = try situation()
                board.monitor.update { $0.backup.found(situation.newestStarted) }
                if case .takeNow(let reason) = plan.decide(situation, now: time.wall()) {
                    log.info("base backup starts", metadata: ["reason": "\(reason)"])
                    try take()
                    plan.finished(now: time.wall())
                }
            } catch {
                let now = time.wall()
                plan.failed(now: now)
                let retry = plan.retryTime(now)
                board.monitor.update { $0.backup.failed(error, at: now, retry: retry) }
                if !stop.isRaised { log.error("the base backup failed: \(error)") }
            }
            stop.wait(seconds: Self.lookSeconds)
        }
    }

    /// A base backup is of use only with the changes after its start: the stream comes first.
    private func waitForStream() {
        while !stop.isRaised {
            let isConnected = board.monitor.wait(seconds: 0.5) {
                $0.seen.isConnected ? true : nil
            }
            if isConnected != nil { return }
        }
    }

    private func situation() throws(TidemarkError) -> BackupSchedule.Situation {
        let newest = try repository.baseBackups(board.source).whole.last?.started
        return BackupSchedule.Situation(
            newestStarted: newest, isRunning: false, needed: try needed(since: newest))
    }

    /// Why one is needed whatever the schedule says. The gaps in the archive are asked too: an
    /// earlier run may have ended between finding one and mending it.
    private func needed(since newest: CommitTime?) throws(TidemarkError) -> String? {
        if let why = board.monitor.read({ $0.backupNeeded }) { return why }
        guard let newest else { return nil }
        let isOpen = try repository.gaps(board.source).contains { $0.found > newest }
        return isOpen ? "history was lost" : nil
    }

    private func take() throws(TidemarkError) {
        let inspector = room.inspector()
        defer { inspector.close() }
        var told = time.monotonic()
        // Whatever this one is taken for, it also does for what is known to be needed by now.
        let needed = board.monitor.update { (state) -> String? in
            state.backup.began(told)
            return state.backupNeeded
        }
        let backup = try BaseBackupTaking(
            room: room, repository: repository, compression: compression, time: time
        ).take(
            inspector: inspector, shouldStop: { [stop] in stop.isRaised },
            progress: { [board, time] done in
                // Comes once a mebibyte; nobody needs to know it more often than once a second.
                let now = time.monotonic()
                guard now.seconds(since: told) >= 1 else { return }
                told = now
                board.monitor.update { $0.backup.copied(done.bytes, now) }
            },
            remark: { [log] in log.info("base backup: the server said: \($0)") },
            waitArchived: { [board, stop, time] (range) throws(TidemarkError) in
                board.monitor.update { $0.backup.waits(time.monotonic()) }
                try board.waitArchived(
                    range, stallSeconds: Self.stallSeconds, clock: time,
                    shouldStop: { stop.isRaised })
            })
        for warning in backup.warnings { log.warning("base backup: \(warning)") }
        log.info(
            "base backup finished",
            metadata: [
                "backup.id": "\(backup.id)", "bytes": "\(backup.bytes)",
                "stored": "\(backup.storedBytes)",
            ])
        board.monitor.update { state in
            // What was lost meanwhile is found by its gap, which is newer than this start.
            if state.backupNeeded == needed { state.backupNeeded = nil }
            state.seen.awaitsBackupAfterGap = false
            state.backup.finished()
            state.changes += 1
        }
    }
}
