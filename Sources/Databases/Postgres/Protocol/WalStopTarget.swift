package import Model

/// A recovery target in Postgres's terms.
package enum WalStopTarget: Hashable, Sendable {
    /// Everything there is.
    case latest
    /// Everything that was acknowledged at or before this moment of the server's clock, and nothing
    /// after it.
    case time(CommitTime)
    /// Up to and including the end of this transaction, commit or abort.
    case transaction(UInt64)
    /// Up to and including the first restore point of this name.
    case restorePoint(String)
    /// Up to and including the record that starts here; without such a record, the last one that
    /// ends at or before it.
    case position(UInt64)
    /// Up to the last record that ends at or before this place, where another one starts.
    case before(UInt64)
}
