package import Model

/// One entry of `local.oplog.rs`, taken apart for a restore (oplog_entry.idl); or one whole event
/// of a change stream.
package struct OplogEntry: Sendable {
    /// The transaction that an entry belongs to.
    package struct Transaction: Hashable, Sendable {
        /// The bytes of `lsid`.
        var session: BSONValue
        var number: Int64
        /// The entry before in this transaction; zero for its first.
        var previous: OpTime
    }

    package let ts: OpTime
    /// −1 where the entry has none.
    package let term: Int64
    package let time: CommitTime?
    package let change: OplogChange
    package let transaction: Transaction?
    /// 1: operations of an `applyOps` that are applied one by one, no transaction (8.0).
    let multiOpType: Int64
    /// An event of a change stream: several may have the same `ts`.
    let isEvent: Bool
    /// For messages.
    let document: BSONDocument

    package init(_ bytes: [UInt8]) throws(BSONFailure) {
        try self.init(BSONDocument(bytes))
    }

    package init(_ document: BSONDocument) throws(BSONFailure) {
        let told = document["clusterTime"]?.timestamp
        guard let ts = told ?? document["ts"]?.timestamp else {
            throw BSONFailure("an entry has no ts", at: 0)
        }
        self.ts = ts
        isEvent = told != nil
        self.document = document
        term = document["t"]?.integer ?? -1
        let wall = document["wall"] ?? document["wallTime"]
        time = wall?.date.map { CommitTime(milliseconds: $0) }
        multiOpType = document["multiOpType"]?.integer ?? 0
        change = try OplogChange(document)
        if told == nil, let session = document["lsid"], let number = document["txnNumber"]?.integer
        {
            let previous = document["prevOpTime"]?.document?["ts"]?.timestamp ?? .zero
            transaction = Transaction(session: session, number: number, previous: previous)
        } else {
            transaction = nil
        }
    }
}

extension CommitTime {
    /// From a BSON date; dates beyond what microseconds can say are the last that they can.
    init(milliseconds: Int64) {
        let (product, overflows) = milliseconds.multipliedReportingOverflow(by: 1000)
        self.init(microseconds: overflows ? (milliseconds < 0 ? .min : .max) : product)
    }
}
