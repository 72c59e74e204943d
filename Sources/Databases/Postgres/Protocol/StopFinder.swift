package import Model

/// Finds where recovery must stop for a target, by reading the WAL that recovery would read.
///
/// Recovery itself cannot be trusted with times: a target in an idle stretch or at the archive's
/// end is FATAL to it ("recovery ended before configured recovery target was reached"). So a target
/// becomes the start of a record, which is exact. What each target means:
///
/// * **Time T**: everything before the first commit or abort whose time is later than T, in the
///   order of the WAL, which is also where Postgres stops (`recoveryStopsBefore`, xlogrecovery.c).
///   Times are taken before records are written, so they are not in order; but whatever was
///   acknowledged at or before T lies before whatever began to commit after T.
/// * **Transaction**: its commit or abort, inclusive; a prepared one ends with COMMIT or ROLLBACK
///   PREPARED. Only equality counts. A number may come round again after four thousand million
///   transactions: the first match counts, as for Postgres.
/// * **Restore point**: the first of its name, inclusive, as for Postgres.
/// * **Position L**: as `recovery_target_lsn` with inclusive on means it when a record starts at L:
///   that record is the last. This serves positions read off `pg_waldump`. Every other L, such as
///   what `pg_create_restore_point` or `pg_current_wal_flush_lsn` return, is an end: the last
///   record which ends at or before L. In both cases everything the server had written at L is in;
///   when something was written exactly at L later, one record more, as Postgres does it.
/// * **Before L**: as position L, but never the record that starts there; it undoes an event.
/// * **Latest**: the last whole record.
///
/// Feed the WAL from a base backup's start, segment after segment, until `isSettled` or the end;
/// then ask for `outcome`. Memory is constant.
package struct StopFinder: Sendable {
    /// What is known so far.
    package enum Outcome: Hashable, Sendable {
        /// The target lies behind everything that was read, up to the stop given here, which is the
        /// last whole record; nil when there was none. It depends on the target and on what is
        /// proved of the archive whether that stop will do.
        case notReached(end: WalStop?)
        /// The stop; its `nextCommit` is filled in when more WAL is fed.
        case found(WalStop)
        /// The target lies before the first record that was read; `next` is the entry behind it.
        case beforeStart(next: HistoryEntry?)
    }

    package let target: WalStopTarget
    package private(set) var scanner: WalScanner

    private var found: Outcome?
    private var lastEntry: HistoryEntry?
    private var lastCommit: HistoryEntry?

    /// - Parameter scanner: Made for the place where reading starts.
    package init(_ target: WalStopTarget, scanner: WalScanner) {
        self.target = target
        self.scanner = scanner
    }

    /// True when more WAL cannot change the outcome.
    package var isSettled: Bool {
        switch found {
        case .found(let stop)?: stop.nextCommit != nil
        case .beforeStart?: true
        case .notReached?, nil: false
        }
    }

    /// True when the stop is known; its neighbour behind may not be.
    package var isFound: Bool { found != nil }

    package var outcome: Outcome { found ?? .notReached(end: stop(behind: scanner.last)) }

    /// Takes the WAL at `first`, which must follow what came before.
    package mutating func feed(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) {
        var offset = 0
        if found == nil { offset = try search(bytes, at: first) }
        if case .found(let stop)? = found, stop.nextCommit == nil, offset < bytes.byteCount {
            try lookBehind(stop, bytes.extracting(offset...), at: first + UInt64(offset))
        }
    }

    /// Reads until the stop is known. Returns how many bytes that took.
    private mutating func search(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) -> Int {
        let target = target
        var entry = lastEntry
        var commit = lastCommit
        var halting: HistoryEntry?
        let limit =
            switch target {
            case .position(let lsn), .before(let lsn): lsn
            case .latest, .time, .transaction, .restorePoint: UInt64.max
            }
        let taken = try scanner.scan(bytes, at: first, beyond: limit) {
            (next: HistoryEntry) throws(TidemarkError) -> Bool in
            if next.last > limit || Self.isStop(next, for: target) {
                halting = next
                return true
            }
            entry = next
            if case .commit = next.event { commit = next }
            return false
        }
        lastEntry = entry
        lastCommit = commit
        decide(halting, limit)
        return taken
    }

    /// Whether the scan ends with this entry.
    private static func isStop(_ entry: HistoryEntry, for target: WalStopTarget) -> Bool {
        switch (target, entry.event) {
        case (.time(let time), .commit), (.time(let time), .abort): entry.time > time
        case (.transaction(let wanted), .commit(let ended)),
            (.transaction(let wanted), .abort(let ended)):
            wanted == ended
        case (.restorePoint(let wanted), .restorePoint(let name)): wanted == name
        default: false
        }
    }

    /// Draws the conclusion from the record at which the scan halted, if it did.
    private mutating func decide(_ halting: HistoryEntry?, _ limit: UInt64) {
        let record = scanner.last
        switch target {
        case .latest: return
        case .time:
            guard let halting else { return }
            conclude(stop(behind: scanner.beforeLast), next: halting)
        case .transaction, .restorePoint:
            guard let halting else { return }
            take(halting)
            conclude(stop(behind: record), next: nil)
        case .position(let lsn):
            guard record.start != 0, record.end > limit else { return }
            if record.start == lsn, let halting { take(halting) }
            conclude(
                stop(behind: record.start == lsn ? record : scanner.beforeLast),
                next: record.start == lsn ? nil : halting)
        case .before:
            guard record.start != 0, record.end > limit else { return }
            conclude(stop(behind: scanner.beforeLast), next: halting)
        }
    }

    private mutating func take(_ entry: HistoryEntry) {
        lastEntry = entry
        if case .commit = entry.event { lastCommit = entry }
    }

    private mutating func conclude(_ stop: WalStop?, next: HistoryEntry?) {
        guard var stop else {
            found = .beforeStart(next: next)
            return
        }
        if case .commit? = next?.event { stop.nextCommit = next }
        found = .found(stop)
    }

    /// The stop behind a record; nil without one.
    private func stop(behind record: WalRecordPlace) -> WalStop? {
        guard record.start != 0 else { return nil }
        return WalStop(
            record: record.start, end: record.end, lastEntry: lastEntry, lastCommit: lastCommit)
    }

    /// Reads on for the first commit behind the stop.
    private mutating func lookBehind(
        _ stop: WalStop, _ bytes: RawSpan, at first: UInt64
    ) throws(TidemarkError) {
        var stop = stop
        _ = try scanner.scan(bytes, at: first, beyond: .max) {
            (next: HistoryEntry) throws(TidemarkError) -> Bool in
            guard case .commit = next.event else { return false }
            stop.nextCommit = next
            return true
        }
        found = .found(stop)
    }
}
