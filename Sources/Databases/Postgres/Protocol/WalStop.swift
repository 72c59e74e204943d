package import Model

/// Where recovery has to stop: the values of `recovery_target_lsn`, with
/// `recovery_target_inclusive` on, and what lies around that place.
package struct WalStop: Hashable, Sendable {
    /// Start of the last record to replay. Postgres compares starts: recovery ends behind the first
    /// record that starts here or later.
    package var record: UInt64
    /// End of that record, as Postgres counts it.
    package var end: UInt64
    /// The last transaction end, or restore point, at or before the stop; nil when none was read.
    package var lastEntry: HistoryEntry?
    /// The last commit at or before the stop; nil when none was read.
    package var lastCommit: HistoryEntry?
    /// The first commit behind the stop; nil when none was read.
    package var nextCommit: HistoryEntry?

    package init(
        record: UInt64, end: UInt64, lastEntry: HistoryEntry? = nil,
        lastCommit: HistoryEntry? = nil, nextCommit: HistoryEntry? = nil
    ) {
        self.record = record
        self.end = end
        self.lastEntry = lastEntry
        self.lastCommit = lastCommit
        self.nextCommit = nextCommit
    }

    /// The commit time of the stop's own record; nil when that record is not a commit.
    package var commitTime: CommitTime? {
        lastCommit?.first == record ? lastCommit?.time : nil
    }
}
