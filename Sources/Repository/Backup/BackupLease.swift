package import Model
package import Platform

/// Held by whoever takes a base backup of one source: never two at once, over all processes.
///
/// On a file repository it is the exclusive lock on `<source>/base/running.json`: the kernel lets
/// go of it the moment the process ends, however it ends, so after kill -9 the next base backup
/// starts at once and finds the file without a holder. Where the store cannot lock (object stores)
/// the same object is a heartbeat, renewed by a thread every 30 s and taken for dead after 5
/// minutes without renewal; after a crash the next base backup waits that long. Two clocks that
/// differ by more than that could both hold it: then two base backups run under names of their own,
/// which costs the source work and the archive space, but damages neither.
package final class BackupLease {
    /// Seconds between renewals, and until a holder that stopped renewing is taken for dead.
    static let renewalSeconds = 30.0
    static let expirySeconds = 300.0

    package let source: SourceID
    private let held: Held
    private var isReleased = false

    private enum Held {
        case lock(any AppendableFile)
        case heartbeat(BackupHeartbeat)
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

    /// Throws `failed` naming the holder when somebody takes a base backup of this source.
    package static func acquire(
        _ store: any ObjectStore, _ source: SourceID, _ clock: any TimeSource
    ) throws(TidemarkError) -> BackupLease {
        let key = Layout.backupLease(source)
        let holder = BackupHolder.current(clock.wall())
        if let appending = store.appending {
            return BackupLease(source, .lock(try lock(appending, store, key, holder, source)))
        }
        return BackupLease(
            source, .heartbeat(try BackupHeartbeat(store, key, holder, source, clock)))
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
        _ appending: any AppendingStore, _ store: any ObjectStore, _ key: ObjectKey,
        _ holder: BackupHolder, _ source: SourceID
    ) throws(TidemarkError) -> any AppendableFile {
        let file: any AppendableFile
        do throws(TidemarkError) {
            file = try appending.openAppendable(key)
        } catch let error where error.code == .failed {
            // Who holds it is only for the message; an unreadable file must not hide the refusal.
            let other = try? ArchiveRepository(store).document(BackupHolder.self, key)
            throw busy(source, other ?? nil, cause: error)
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

    static func busy(
        _ source: SourceID, _ holder: BackupHolder?, cause: TidemarkError? = nil
    ) -> TidemarkError {
        var message = "a base backup of \(source) is being taken already"
        if let holder {
            message += ", by process \(holder.process) on \(holder.host) since \(holder.started)"
        }
        return TidemarkError(
            .failed, message, remedy: "wait until `tidemark list` shows it, then try again",
            cause: cause)
    }
}
