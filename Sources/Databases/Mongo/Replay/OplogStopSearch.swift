import Model

/// Finds the entry that a recovery stops after.
///
/// A time target is judged by `wall`, the primary's clock in each entry. It stops before the first
/// entry that is later: with two primaries whose clocks differ, nothing later than the target is
/// ever applied.
///
/// Of a change stream several events may share a time, and where nothing happened there is none. So
/// a stop there lies right before the next event, or at the place that was asked for: what has no
/// event is whole too. That matters behind a base backup, whose end is no event.
final class OplogStopSearch: StopSearch {
    private let question: StopQuestion
    private let isOfEvents: Bool
    private var entries = ArchivedEntries()
    /// The last entry that was at or before the target.
    private var last: RecoveryStop?
    private var found: StopAnswer?
    /// Entries that came before this one were not given.
    private var hasBegun = false
    /// Where the first segment begins that was given.
    private var begin: UInt64 = 0

    init(_ question: StopQuestion, isOfEvents: Bool = false) {
        self.question = question
        self.isOfEvents = isOfEvents
    }

    /// What the question names by place: an event's is that of the entry before it.
    private var place: UInt64? {
        switch question {
        case .position(let end), .before(let end): end
        case .time, .transaction, .point, .end: nil
        }
    }

    func take(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) -> StopAnswer? {
        if !hasBegun {
            hasBegun = true
            begin = first
            // The place where the segment begins is a stop as well.
            if let end = place, end < first { return .earlier }
            if let end = place, end == first {
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
                found = .stop(stop(until: head.ts.ordinal - 1))
            } else {
                last = this
            }
        case .position(let end), .before(let end):
            if head.ts.ordinal > end {
                found = .stop(stop(until: end))
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

    /// Behind the last entry that is wanted; behind none of the segment, where it begins. Those
    /// before it hold nothing that is later.
    private func stop(until end: UInt64) -> RecoveryStop {
        let stop = last ?? RecoveryStop(last: begin, end: begin, time: nil)
        guard isOfEvents else { return stop }
        return RecoveryStop(last: stop.last, end: max(stop.end, end), time: stop.time)
    }

    func finish() throws(TidemarkError) -> StopAnswer { found ?? .absent(last: last) }
}
