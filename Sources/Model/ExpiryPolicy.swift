/// What a restore does with keys that live for a limited time (Redis): the moment restored lies in
/// the past, so many of them have run out since.
package enum ExpiryPolicy: String, Sendable, CaseIterable {
    /// Every key expires when it would have: those whose time is over vanish at once.
    case keep
    /// Every key lives as long as it had left at the moment restored.
    case shift
    /// No key expires.
    case persist
}

/// The policy with what it needs to be carried out.
package enum ExpiryOrder: Hashable, Sendable {
    case keep
    /// By the time from the moment restored to `now`: this machine's clock, or that of a live
    /// server that is filled.
    case shift(from: CommitTime, now: CommitTime)
    case persist
}
