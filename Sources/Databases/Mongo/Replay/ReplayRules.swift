/// What is replayed, and how a miss is judged.
package struct ReplayRules: Sendable {
    /// Entries up to this one are in the base backup.
    package var after: OpTime
    /// The last entry to replay; nil for all.
    package var upTo: OpTime?
    /// A base that was read while writes went on becomes consistent here; until then documents and
    /// collections may be missing, or newer than the entry. Nil for an exact base.
    package var fuzzyUntil: OpTime?
    /// Users and roles too.
    package var withUsers: Bool
    /// An interrupted replay has written everything up to here: only what is held in memory is
    /// gathered again. Zero for a fresh one.
    package var written: OpTime
    /// And a part, or all, of what it did up to here. No later than `written` where nobody knows.
    package var ahead: OpTime

    package init(
        after: OpTime, upTo: OpTime? = nil, fuzzyUntil: OpTime? = nil, withUsers: Bool = false,
        written: OpTime = .zero, ahead: OpTime = .zero
    ) {
        self.after = after
        self.upTo = upTo
        self.fuzzyUntil = fuzzyUntil
        self.withUsers = withUsers
        self.written = written
        self.ahead = ahead
    }
}

/// What a replay did.
package struct ReplayReport: Hashable, Sendable {
    package var entries: UInt64 = 0
    package var operations: UInt64 = 0
    package var written: UInt64 = 0
    /// Updates and deletes that met no document, or another than they were made for, where the
    /// base must have had it: the archive or the base is damaged.
    package var misses = 0
    /// The first of these, as far as they are known.
    package var firstMisses: [MissedDocument] = []
    /// The same before a fuzzy base is consistent, where they are to be expected.
    package var expectedMisses = 0
    /// The last entry replayed.
    package var reached = OpTime.zero
    /// Transactions that had begun and were not decided at the end.
    package var undecided = 0

    package init() {}

    mutating func count(_ misses: Int, areExpected: Bool) {
        if areExpected { expectedMisses += misses } else { self.misses += misses }
    }
}
