import Model

/// Collects the operations of transactions whose entries come one after another, until they commit.
///
/// One entry: `applyOps` with `lsid` and `txnNumber`. More than 16 MB: several with `partialTxn`,
/// linked by `prevOpTime`, the last one with `count`. Prepared (sharded clusters): `prepare` on the
/// last, then `commitTransaction` or `abortTransaction`. Of an aborted one nothing may follow at
/// all, so a chain is also dropped when its session goes on with a higher number.
struct TransactionAssembler {
    private struct Chain {
        var number: Int64
        var operations = HeldOperations()
        /// Whether all of its entries so far are here.
        var isWhole = true
        /// The newest entry of the chain.
        var last: OpTime
    }

    private var chains: [BSONValue: Chain] = [:]
    /// Of operations in memory.
    private(set) var bytes = 0

    /// Bytes of operations that are held in memory; what is more lies in files.
    static let limit = 64 << 20
    private let limit: Int

    init(limit: Int = Self.limit) { self.limit = limit }

    /// Transactions that have begun and not ended.
    var open: Int { chains.count }

    /// The operations that become true with this entry; nil when it is no part of a transaction.
    ///
    /// - Parameter isBefore: the entry lies before what is replayed: its operations are held while
    ///   they are undecided, and dropped when it decides.
    mutating func take(
        _ entry: OplogEntry, isBefore: Bool
    ) throws(TidemarkError) -> HeldOperations? {
        guard let transaction = entry.transaction, case .command(_, let command) = entry.change
        else { return nil }
        switch command {
        case .applyOps(let ops) where entry.multiOpType != 1:
            return try take(ops, transaction, entry, isBefore: isBefore)
        case .commitTransaction:
            let chain = remove(transaction.session)
            if isBefore { return HeldOperations() }
            guard let chain, chain.number == transaction.number, chain.isWhole else {
                throw incomplete(entry, "the operations it commits lie before")
            }
            return chain.operations
        case .abortTransaction:
            if chains[transaction.session]?.number == transaction.number {
                _ = remove(transaction.session)
            }
            return HeldOperations()
        default: return nil
        }
    }

    private mutating func take(
        _ ops: OplogCommand.ApplyOps, _ transaction: OplogEntry.Transaction, _ entry: OplogEntry,
        isBefore: Bool
    ) throws(TidemarkError) -> HeldOperations {
        let session = transaction.session
        let known = remove(session)
        var chain = Chain(number: transaction.number, last: .zero)
        // One that begins anew under its number was aborted before.
        if let known, known.number == transaction.number, transaction.previous > .zero {
            chain = known
        }
        if chain.last != transaction.previous {
            // A chain whose beginning is not here: only its end may need it.
            chain.isWhole = false
            chain.operations = HeldOperations()
        }
        chain.operations.append(ops.operations)
        chain.last = entry.ts
        guard ops.isPartial || ops.isPrepared else {
            if isBefore { return HeldOperations() }
            if let count = ops.count, count != chain.operations.count {
                throw incomplete(
                    entry, "it has \(count) operations, of which \(chain.operations.count) are here"
                )
            }
            guard chain.isWhole else { throw incomplete(entry, "its beginning is not here") }
            return chain.operations
        }
        // Told by the last entry before the decision.
        if let count = ops.count, count != chain.operations.count { chain.isWhole = false }
        if bytes + chain.operations.bytes > limit { try chain.operations.spill() }
        chains[session] = chain
        bytes += chain.operations.bytes
        return HeldOperations()
    }

    private mutating func remove(_ session: BSONValue) -> Chain? {
        guard let chain = chains.removeValue(forKey: session) else { return nil }
        bytes -= chain.operations.bytes
        return chain
    }

    private func incomplete(_ entry: OplogEntry, _ what: String) -> TidemarkError {
        TidemarkError(
            .archiveIncomplete,
            "a transaction that commits at \(entry.ts) is not whole: \(what)",
            remedy: "choose a target before \(entry.ts), or restore from another base backup")
    }
}
