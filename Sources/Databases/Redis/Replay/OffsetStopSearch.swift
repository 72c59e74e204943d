import Model

/// Finds the transaction edge where a recovery stops.
///
/// The stream carries no times: the index of each segment does, as stretches with the times at
/// which their commands had arrived. A time target stops at the start of the first stretch of which
/// everything is later: what may have been there in time is never left out. A time inside a stretch
/// that waited somewhere before it came is refused: it names no place. A position target stops at
/// the last edge at or before it; its time is just before what it leaves out was made.
final class OffsetStopSearch: StopSearch {
    private let question: StopQuestion
    private var splitter: CommandSplitter?
    /// Start of the last command that ended at or before the last edge.
    private var last: UInt64?
    private var edge: UInt64?
    /// Nothing at or above this position may be replayed; nil while it is not known.
    private var limit: UInt64?
    /// Everything made at or before it lies before the limit.
    private var newest: CommitTime?
    /// When the commands before the limit were made at the earliest.
    private var floor: CommitTime?
    /// The stretch that the time lies in without being its end.
    private var doubt: Doubt?

    private struct Doubt {
        let from: CommitTime
        var to: CommitTime
        /// Everything since it began came late: it may go on in the next segment.
        var isOpen = true

        /// What had waited comes in pieces.
        mutating func extend(_ entries: ArraySlice<TimeIndexEntry>) {
            let late = entries.prefix { $0.made(after: from).isLate }
            to = late.map(\.latest).reduce(to, max)
            isOpen = late.count == entries.count
        }
    }

    init(_ question: StopQuestion) {
        self.question = question
        switch question {
        case .position(let end), .before(let end): limit = end
        case .time, .transaction, .point, .end: break
        }
    }

    func index(_ entries: [TimeIndexEntry]) {
        switch question {
        case .time(let time): index(entries, to: time)
        case .position(let end), .before(let end):
            // What is left out begins within the last of these, or with it.
            for entry in entries where entry.position <= end {
                let known = entry.made(after: floor)
                floor = known.earliest
                newest = CommitTime(microseconds: known.earliest.microseconds - 1)
            }
        case .transaction, .point, .end: break
        }
    }

    private func index(_ entries: [TimeIndexEntry], to time: CommitTime) {
        if doubt?.isOpen == true { doubt?.extend(entries[...]) }
        guard limit == nil else { return }
        for (place, entry) in entries.enumerated() {
            let known = entry.made(after: floor)
            guard entry.latest <= time || known.earliest <= time && !known.isLate else {
                limit = entry.position
                if known.earliest < time, known.isLate {
                    doubt = Doubt(from: known.earliest, to: known.earliest)
                    doubt?.extend(entries[place...])
                }
                return
            }
            floor = known.earliest
            newest = max(newest ?? entry.latest, entry.latest)
        }
    }

    func take(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) -> StopAnswer? {
        if let doubt {
            // Its other end is told too.
            guard doubt.isOpen else { throw uncertain(doubt) }
            return nil
        }
        if splitter == nil {
            splitter = CommandSplitter(at: StreamEdge(position: first))
            if let limit, limit < first { return .earlier }
            edge = first
        }
        precondition(splitter?.position == first, "a search is fed in order, each byte once")
        let room = limit.map { $0 > first ? $0 - first : 0 } ?? .max
        let count = Int(min(UInt64(bytes.byteCount), room))
        do throws(SplitFailure) {
            try unsafe bytes.extracting(0..<count).withUnsafeBytes { (raw) throws(SplitFailure) in
                try look(unsafe Span(_unsafeElements: raw.assumingMemoryBound(to: UInt8.self)))
            }
        } catch {
            throw error.archiveDamaged
        }
        guard count < bytes.byteCount || UInt64(count) == room else { return nil }
        return answer
    }

    private func look(_ bytes: Span<UInt8>) throws(SplitFailure) {
        guard var splitter else { return }
        defer { self.splitter = splitter }
        var cursor = 0
        while try splitter.next(bytes, &cursor) {
            guard !splitter.isInTransaction else { continue }
            last = splitter.command.first
            edge = splitter.edge.position
        }
    }

    func finish() throws(TidemarkError) -> StopAnswer {
        if let doubt { throw uncertain(doubt) }
        // With a limit behind the end of the archive, or none: everything counts.
        return .absent(last: stop)
    }

    private func uncertain(_ doubt: Doubt) -> TidemarkError {
        let ends = (doubt.from.text(fractionDigits: 6), doubt.to.text(fractionDigits: 6))
        return TidemarkError(
            .targetOutsideWindow,
            "the time names no single place: what Redis did between \(ends.0) and \(ends.1) "
                + "reached the archive at once, after an outage of the sidecar or the network",
            remedy: "restore to what came before it, --to \(ends.0), to all of it, --to \(ends.1), "
                + "or to a position (`tidemark find` and `tidemark list` name some)")
    }

    private var answer: StopAnswer { stop.map { .stop($0) } ?? .earlier }

    private var stop: RecoveryStop? {
        edge.map { RecoveryStop(last: last ?? $0, end: $0, time: newest) }
    }
}
