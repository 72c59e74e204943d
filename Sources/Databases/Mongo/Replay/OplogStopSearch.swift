import Model

/// Finds the entry that a recovery stops after.
///
/// A time target is judged by `wall`, the primary's clock in each entry. It stops before the first
/// entry that is later: with two primaries whose clocks differ, nothing later than the target is
/// ever applied.
final class OplogStopSearch: StopSearch {
    private let question: StopQuestion
    private var entries = ArchivedEntries()
    /// The last entry that was at or before the target.
    private var last: RecoveryStop?
    private var found: StopAnswer?
    /// Entries that came before this one were not given.
    private var hasBegun = false

    init(_ question: StopQuestion) { self.question = question }

    func take(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) -> StopAnswer? {
        if !hasBegun {
            hasBegun = true
            // The place where the segment begins is a stop as well.
            if case .position(let end) = question, end < first { return .earlier }
            if case .position(let end) = question, end == first {
                return .stop(RecoveryStop(last: first, end: first, time: nil))
            }
        }
        guard found == nil else { return found }
        try entries.take(bytes, at: first) { (entry, head) throws(TidemarkError) in
            if found == nil { try look(entry, head) }
        }
        return found
    }

    private func look(_ entry: Span<UInt8>, _ head: EntryHead) throws(TidemarkError) {
        // Segments of two sidecars overlap: what comes once more says nothing new.
        if let last, head.ts.ordinal <= last.end { return }
        let wall = head.wall.map { CommitTime(milliseconds: $0) }
        let this = RecoveryStop(
            last: head.ts.ordinal, end: head.ts.ordinal, time: wall ?? last?.time)
        switch question {
        case .end: last = this
        case .time(let time):
            // An entry without a clock (before 3.6) goes with its neighbours.
            if let wall, wall > time {
                found = last.map { .stop($0) } ?? .earlier
            } else {
                last = this
            }
        case .position(let end):
            if head.ts.ordinal > end {
                found = last.map { .stop($0) } ?? .earlier
            } else {
                last = this
                if head.ts.ordinal == end { found = .stop(this) }
            }
        case .point(let name):
            last = this
            guard head.kind == .noop else { return }
            do throws(BSONFailure) {
                if try RestorePointNote.name(in: entry) == name { found = .stop(this) }
            } catch {
                throw error.error(
                    .archiveDamaged, in: "an archived oplog entry",
                    remedy: "run `tidemark verify --deep`")
            }
        case .transaction:
            throw TidemarkError(
                .usage, "MongoDB's transactions have no numbers to stop at",
                remedy: "give a time, or optime:T.I")
        }
    }

    func finish() throws(TidemarkError) -> StopAnswer { found ?? .absent(last: last) }
}
