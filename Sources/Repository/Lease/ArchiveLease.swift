package import Model
package import Platform

/// Held by whoever does with one source what only one may do: never two at once, over all
/// processes.
///
/// On a file repository it is the exclusive lock on a small file: the kernel lets go of it the
/// moment the process ends, however it ends, so after kill -9 the next one starts at once and finds
/// the file without a holder. Where the store cannot lock (object stores) the same object is a
/// heartbeat, renewed by a thread and taken for dead after a while without renewal; after a crash
/// the next one waits that long. Two clocks that differ by more than that could both hold it: then
/// two base backups run under names of their own, or two sidecars make the same claims, which costs
/// work and space and damages nothing.
package final class ArchiveLease {
    package let source: SourceID
    private let held: Held
    private var isReleased = false

    private enum Held {
        case lock(any AppendableFile)
        case heartbeat(LeaseHeartbeat)
    }

    private init(_ source: SourceID, _ held: Held) {
        self.source = source
        self.held = held
    }

    deinit { release() }

    /// How old a half-written object must be before the holder may take it for abandoned: with a
    /// lock everything unfinished is, a heartbeat leaves room for an error of the clocks.
    var abandonedAfterSeconds: Double {
        switch held {
        case .lock: 0
        case .heartbeat: 3600
        }
    }

    /// Throws `failed` naming the holder when somebody has it.
    package static func acquire(
        _ store: any ObjectStore, _ source: SourceID, _ purpose: LeasePurpose,
        _ clock: any TimeSource
    ) throws(TidemarkError) -> ArchiveLease {
        let holder = LeaseHolder.current(clock.wall())
        if let appending = store.appending {
            return ArchiveLease(source, .lock(try lock(appending, store, holder, source, purpose)))
        }
        return ArchiveLease(
            source, .heartbeat(try LeaseHeartbeat(store, holder, source, purpose, clock)))
    }

    /// Gives the lease back; idempotent. Never fails: what stays behind has no holder.
    package func release() {
        guard !isReleased else { return }
        isReleased = true
        switch held {
        case .lock(let file):
            do throws(TidemarkError) {
                try file.discard()
            } catch {
                // The lock ends with the handle; a file without a lock stands in nobody's way.
                file.close()
            }
        case .heartbeat(let heartbeat): heartbeat.stop()
        }
    }

    private static func lock(
        _ appending: any AppendingStore, _ store: any ObjectStore, _ holder: LeaseHolder,
        _ source: SourceID, _ purpose: LeasePurpose
    ) throws(TidemarkError) -> any AppendableFile {
        let key = purpose.key(source)
        let file: any AppendableFile
        do throws(TidemarkError) {
            file = try appending.openAppendable(key)
        } catch let error where error.code == .failed {
            // Who holds it is only for the message; an unreadable file must not hide the refusal.
            let other = try? ArchiveRepository(store).document(LeaseHolder.self, key)
            throw purpose.busy(source, other ?? nil, cause: error)
        }
        do throws(TidemarkError) {
            let bytes = try JSONDocument.encode(holder)
            try file.truncate(0)
            try unsafe file.write(at: 0, bytes.span.bytes)
            return file
        } catch {
            file.close()
            throw error
        }
    }
}
