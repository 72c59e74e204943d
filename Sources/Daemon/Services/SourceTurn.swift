import Logging
import Model
import Platform
import Repository

/// Sees to it that one process at a time archives a source: waits for its lease, takes up what the
/// one before left, and holds the lease until the work is done.
///
/// Two sidecars could damage nothing, but each would overwrite the other's watermark, and what
/// `status` shows would be now of this one, now of that one.
struct SourceTurn: Sendable {
    let repository: ArchiveRepository
    let board: SourceBoard
    let stop: StopSignal
    let time: any TimeSource
    let log: Logger

    /// Blocks until the lease was had and `done` is raised, or until the stop signal without it.
    func hold(until done: StopSignal) {
        var backoff = Backoff(first: 0.2, limit: 5)
        var random = SystemRandomNumberGenerator()
        var message = ""
        while !stop.isRaised {
            do throws(TidemarkError) {
                let lease = try ArchiveLease.acquire(
                    repository.store, board.source, .stream, time)
                defer { lease.release() }
                try takeUp()
                if !message.isEmpty { log.notice("this sidecar archives the source from now on") }
                while !done.wait(seconds: 3600) {}
                return
            } catch {
                // Somebody else at work is no reason to end: with it gone, this one goes on.
                board.disconnected("\(error)", error.code == .failed ? nil : error)
                if error.message != message { log.error("\(error)") }
                message = error.message
            }
            stop.wait(seconds: backoff.next(using: &random))
        }
    }

    func takeUp() throws(TidemarkError) {
        let (watermark, damage) = try repository.takeUpWatermark(board.source, now: time.wall())
        if let damage { log.error("\(damage); what can be restored is proved anew") }
        board.takeUp(watermark, time.reading())
    }
}
