/// How far the archive must get so that everything committed up to now is in it. Pure.
///
/// The plain bound is the insert position, read after the clock: it covers also what
/// `synchronous_commit = off` has acknowledged and not yet written. Two corrections make it as low
/// as it can be without ever being too low:
///
/// 1. Just behind a page boundary the server names the place where the next record will go, behind
///    the page header (`XLogBytePosToRecPtr`, xlog.c), while everything written ends at the
///    boundary and the stream stops there. The bound is the boundary, else an idle server after a
///    segment switch would never be proved.
/// 2. WAL of transactions that have not ended is of no interest, and its last page is flushed only
///    when somebody commits (or within 15 s). Every end of a transaction changes
///    `pg_current_snapshot()`: the ended number leaves the list of running ones, or is at or above
///    its upper end, which then moves; neither ever comes back. So while two readings are equal, no
///    transaction has ended between them, and the bound of the first, read *after* that snapshot,
///    is still the bound now. (VACUUM's own transactions are not listed; they carry no data.)
///    PREPARE TRANSACTION acknowledges something too and leaves its number running; so the list of
///    prepared transactions is compared as well.
///
/// What is not used: "a flush position read three `wal_writer_delay`s later covers every earlier
/// asynchronous commit". The manual says so of a WAL writer that gets to run; one that hangs in a
/// slow fsync does not keep it.
struct InspectBound: Sendable {
    private let segmentBytes: UInt64
    private let pageBytes: UInt64
    private var snapshot = ""
    private var prepared = ""
    private var bound: UInt64 = 0

    /// The sizes of the server's segments and WAL pages.
    init(segmentBytes: UInt64, pageBytes: UInt64) {
        self.segmentBytes = segmentBytes
        self.pageBytes = pageBytes
    }

    /// The bound for a clock read before `snapshot` and `prepared`, and these before `insert`.
    ///
    /// - Parameter prepared: a text that differs when other transactions are prepared.
    mutating func bound(snapshot: String, prepared: String, insert: UInt64) -> UInt64 {
        let fresh = written(insert)
        // Positions never go back on one connection; a snapshot without text proves nothing.
        guard
            snapshot.isEmpty || snapshot != self.snapshot || prepared != self.prepared
                || fresh < bound
        else { return bound }
        self.snapshot = snapshot
        self.prepared = prepared
        bound = fresh
        return fresh
    }

    /// Something other than a transaction was written and is to be waited for.
    mutating func forget() { snapshot = "" }

    /// The end of what has been written, for a position where the next record would start.
    func written(_ insert: UInt64) -> UInt64 {
        let offset = insert % pageBytes
        let header: UInt64 = (insert - offset) % segmentBytes == 0 ? 40 : 24
        return offset == header ? insert - offset : insert
    }
}
