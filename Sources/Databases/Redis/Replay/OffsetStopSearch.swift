import Model

/// Finds the transaction edge where a recovery stops.
///
/// The stream carries no times: the index of each segment does, as stretches with the times at
/// which their commands had arrived. A time target stops at the start of the first stretch of which
/// everything is later: what may have been there in time is never left out. A position target stops
/// at the last edge at or before it.
final class OffsetStopSearch: StopSearch {
    private let question: StopQuestion
    private var splitter: CommandSplitter?
    /// Start of the last command that ended at or before the last edge.
    private var last: UInt64?
    private var edge: UInt64?
    /// Nothing at or above this position may be replayed; nil while it is not known.
    private var limit: UInt64?
    private var newest: CommitTime?

    init(_ question: StopQuestion) {
        self.question = question
        if case .position(let end) = question { limit = end }
    }

    func index(_ entries: [TimeIndexEntry]) {
        guard case .time(let time) = question, limit == nil else { return }
        for entry in entries {
            guard entry.earliest <= time else {
                limit = entry.position
                return
            }
            newest = max(newest ?? entry.latest, entry.latest)
        }
    }

    func take(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) -> StopAnswer? {
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
        // With a limit behind the end of the archive, or none: everything counts.
        .absent(last: stop)
    }

    private var answer: StopAnswer { stop.map { .stop($0) } ?? .earlier }

    private var stop: RecoveryStop? {
        edge.map { RecoveryStop(last: last ?? $0, end: $0, time: newest) }
    }
}
