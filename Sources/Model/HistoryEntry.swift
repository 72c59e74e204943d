/// Something in the stream that recovery can stop at, reported by a room while bytes pass through
/// it.
package struct HistoryEntry: Hashable, Sendable {
    /// What the record is.
    package enum Event: Hashable, Sendable {
        case commit(transaction: UInt64)
        case abort(transaction: UInt64)
        case restorePoint(name: String)
    }

    package var event: Event
    /// Start of the record.
    package var first: UInt64
    /// First position after the record; recovery that stops after it ends here.
    package var last: UInt64
    /// The source's own clock, as written into the record.
    package var time: CommitTime
    /// Where the stream carries no times and it came late: when it may have been made already; nil
    /// when that is `time` itself.
    package var earliest: CommitTime?

    package init(
        event: Event, first: UInt64, last: UInt64, time: CommitTime, earliest: CommitTime? = nil
    ) {
        self.event = event
        self.first = first
        self.last = last
        self.time = time
        self.earliest = earliest
    }
}

extension HistoryEntry {
    /// As `TimeIndexEntry.isLate`.
    package var isLate: Bool {
        guard let earliest else { return false }
        return TimeIndexEntry(position: first, earliest: earliest, latest: time).isLate
    }
}
