import Model
import Platform

/// The lease of a store without locks: an object that its holder keeps renewing.
final class LeaseHeartbeat {
    private let store: any ObjectStore
    private let key: ObjectKey
    private let stopped = Monitor(false)
    private let thread: DedicatedThread<Void>

    /// Takes the lease, from a holder that is dead if there is one, and starts renewing it.
    init(
        _ store: any ObjectStore, _ holder: LeaseHolder, _ source: SourceID,
        _ purpose: LeasePurpose, _ clock: any TimeSource
    ) throws(TidemarkError) {
        let key = purpose.key(source)
        try Self.take(store, key, holder, source, purpose)
        self.store = store
        self.key = key
        let stopped = stopped
        thread = DedicatedThread("backup-lease") { () throws(TidemarkError) in
            var holder = holder
            while stopped.wait(seconds: purpose.renewalSeconds, { $0 ? true : nil }) == nil {
                holder.renewed = clock.wall()
                // A failed renewal is tried again in time: the lease outlives nine of them.
                try? store.put(key, JSONDocument.encode(holder), .replace)
            }
        }
    }

    func stop() {
        stopped.update { $0 = true }
        _ = try? thread.join()
        // What cannot be deleted now expires.
        try? store.delete(key)
    }

    private static func take(
        _ store: any ObjectStore, _ key: ObjectKey, _ holder: LeaseHolder, _ source: SourceID,
        _ purpose: LeasePurpose
    ) throws(TidemarkError) {
        let bytes = try JSONDocument.encode(holder)
        do throws(TidemarkError) {
            try store.put(key, bytes, .create)
        } catch let error where error.code == .contentConflict {
            let other = try ArchiveRepository(store).document(LeaseHolder.self, key)
            let age = other.map { holder.started.seconds(since: $0.renewed) }
            if let age, age < purpose.expirySeconds {
                throw purpose.busy(source, other)
            }
            try store.put(key, bytes, .replace)
        }
    }
}
