import Model

/// Deletions from each collection, counted through whatever else is written between them: other
/// clients go on while one deletes much.
///
/// A run ends when nothing was deleted from its collection for some seconds of the source's time,
/// and begins anew while it is slower than anything that deletes in one go. Of a collection from
/// which clients delete fast and never pause there is one run, told once.
struct DeletionRuns {
    /// Where a run began: just before its first deletion.
    struct Run: Hashable {
        var before: UInt64
        var time: CommitTime?
        fileprivate var count = 0
        fileprivate var first: UInt32
        fileprivate var last: UInt32
    }

    private var runs: [Namespace: Run] = [:]

    /// Fewer deletions in a row are everyday work.
    static let many = 100
    /// Seconds without a deletion that end a run; no run is too slow in its first ones.
    private static let pause: UInt32 = 5
    /// Deletions in a second, on average.
    private static let slowest = 10
    /// Collections that are followed at once: of more, those go from which nothing was deleted for
    /// longest.
    static let limit = 1000

    var isEmpty: Bool { runs.isEmpty }
    var collections: Int { runs.count }

    /// Counts deletions of one entry. Returns the run when these have made it one of many.
    ///
    /// - Parameters:
    ///   - before: the place just before the entry.
    ///   - ts: of the entry.
    mutating func take(
        _ count: Int, from namespace: Namespace, before: UInt64, _ ts: OpTime, _ time: CommitTime?
    ) -> Run? {
        var run =
            runs[namespace].flatMap { $0.isOver(at: ts.seconds) ? nil : $0 }
            ?? Run(before: before, time: time, first: ts.seconds, last: ts.seconds)
        let wasMany = run.count >= Self.many
        run.count += count
        run.last = ts.seconds
        runs[namespace] = run
        if runs.count > Self.limit { forget(ts.seconds) }
        return !wasMany && run.count >= Self.many ? run : nil
    }

    /// Makes room: those that are over, else the oldest half.
    private mutating func forget(_ now: UInt32) {
        runs = runs.filter { !$0.value.isOver(at: now) }
        guard runs.count > Self.limit else { return }
        let kept = runs.sorted { $0.value.last > $1.value.last }.prefix(Self.limit / 2)
        runs = Dictionary(uniqueKeysWithValues: kept.map { ($0.key, $0.value) })
    }
}

extension DeletionRuns.Run {
    fileprivate func isOver(at now: UInt32) -> Bool {
        if Int(now) - Int(last) > Int(DeletionRuns.pause) { return true }
        let age = Int(now) - Int(first)
        return age > Int(DeletionRuns.pause) && count < age * DeletionRuns.slowest
    }
}

/// How much the transactions that are not decided delete from each collection: it counts with the
/// entry that commits them.
struct UndecidedDeletions {
    private struct Chain {
        var number: Int64
        var counts: [Namespace: Int] = [:]
        /// Of the newest entry.
        var last: OpTime
    }

    private var chains: [BSONValue: Chain] = [:]

    /// Transactions that are followed at once; an oplog has fewer that are open.
    private static let limit = 1000

    /// What is deleted from now on; nil while that is not decided.
    mutating func take(
        _ entry: OplogEntry, _ counts: [Namespace: Int]
    ) -> [Namespace: Int]? {
        guard let transaction = entry.transaction, entry.multiOpType != 1,
            case .command(_, let command) = entry.change
        else { return counts }
        let session = transaction.session
        let known = chains.removeValue(forKey: session).flatMap {
            $0.number == transaction.number ? $0 : nil
        }
        var chain = known ?? Chain(number: transaction.number, last: entry.ts)
        chain.counts.merge(counts, uniquingKeysWith: +)
        chain.last = entry.ts
        switch command {
        case .applyOps(let ops) where ops.isPartial || ops.isPrepared:
            chains[session] = chain
            if chains.count > Self.limit,
                let oldest = chains.min(by: { $0.value.last < $1.value.last })
            {
                chains[oldest.key] = nil
            }
            return nil
        case .abortTransaction: return nil
        default: return chain.counts
        }
    }
}
