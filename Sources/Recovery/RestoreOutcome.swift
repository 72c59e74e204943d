package import Model

/// What a restore has done, and how long each part took.
package struct RestoreOutcome {
    package var plan: RestorePlan
    /// What the operator should read, beside the plan's warnings.
    package var notices: RestoreNotices
    /// Nil when the server was not started.
    package var server: RestoredServer?
    /// Planning and checking.
    package var planSeconds: Double
    /// Reading, decompressing and writing the base backup until it was durable.
    package var copySeconds: Double
    /// Whether the changes behind the base backup were written in that time too.
    package var copiesStream: Bool
    /// From the start of the server to its promotion; nil when it was not started.
    package var recoverySeconds: Double?
    /// To be called once all this has been told; until then the same restore, given again, finds
    /// its work done.
    package var conclude: () throws(TidemarkError) -> Void

    /// What to keep of it for the next one's estimate.
    ///
    /// - Parameters:
    ///   - at: now.
    ///   - countsBytes: whether positions tell how much there was to replay.
    package func measurement(at: CommitTime, countsBytes: Bool) -> RestoreMeasurement {
        let bytes = plan.backup.bytes
        let replayed = countsBytes ? plan.replayBytes : nil
        return RestoreMeasurement(
            copy: .init(
                at: at, baseBytes: bytes, replayBytes: copiesStream ? replayed : nil,
                seconds: planSeconds + copySeconds),
            recovery: recoverySeconds.map {
                .init(at: at, baseBytes: bytes, replayBytes: replayed, seconds: $0)
            })
    }

    /// The time until the database runs again, as far as it was brought.
    package var seconds: Double { planSeconds + copySeconds + (recoverySeconds ?? 0) }
}

/// Hears how a restore goes on. Called on the restoring thread, which waits for it.
package struct RestoreHooks: Sendable {
    /// The plan is made and every object it needs is there; nothing has been written.
    package var planned: @Sendable (RestorePlan) -> Void
    /// Bytes written so far; about once a mebibyte.
    package var copied: @Sendable (_ bytes: UInt64, _ total: UInt64) -> Void
    /// What the end of this process would leave from now on, and what is to be done then.
    package var leaves: @Sendable (String) -> Void

    package init(
        planned: @escaping @Sendable (RestorePlan) -> Void = { _ in },
        copied: @escaping @Sendable (UInt64, UInt64) -> Void = { _, _ in },
        leaves: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.planned = planned
        self.copied = copied
        self.leaves = leaves
    }
}
