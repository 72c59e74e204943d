import Model

/// A tailable cursor on `local.oplog.rs`, majority-committed entries only.
///
/// `{find: "oplog.rs", filter: {ts: {$gte: T}}, tailable, awaitData}`: the filter must be this and
/// nothing else, then the server seeks to T instead of scanning (`oplogReplay` says so to servers
/// before 4.4). It shows nothing behind a hole, so no entry ever appears behind a later one.
struct OplogCursor {
    /// How a question ended.
    enum Answer {
        /// Bytes of entries; 0 when the server had none in time.
        case batch(Int)
        /// The cursor is gone; why.
        case dead(String)
    }

    let connection: Connection
    let member: Connection.Member
    private var id: Int64
    /// What `find` itself brought, until it is taken.
    private var pending: BSONDocument?
    /// The first entry is the archive's last, and is not handed on.
    var isFirstKnown = false

    /// A batch of that size was cut off by its size, not by the oplog's end.
    static let largeBatch = 1 << 20

    static func open(
        _ connection: Connection, _ member: Connection.Member, from: OpTime
    ) throws(TidemarkError) -> OplogCursor {
        let bound = BSONDocument([("$gte", .timestamp(from))])
        let command = BSONDocument([
            ("find", .string("oplog.rs")),
            ("filter", .document(BSONDocument([("ts", .document(bound))]))),
            ("tailable", .bool(true)), ("awaitData", .bool(true)), ("oplogReplay", .bool(true)),
            ("noCursorTimeout", .bool(true)), ("batchSize", .int32(1000)),
            ("readConcern", .document(BSONDocument([("level", .string("majority"))]))),
        ])
        switch try connection.answer(command, on: "local", at: member) {
        case .success(let reply):
            let cursor = reply["cursor"]?.document
            return OplogCursor(
                connection: connection, member: member, id: cursor?["id"]?.integer ?? 0,
                pending: reply)
        case .failure(let failure):
            throw failure.error(connection.configuration, command: "find on local.oplog.rs")
        }
    }

    /// The first entry of the batch that is pending; nil when there is none.
    func first() throws(TidemarkError) -> [UInt8]? {
        pending.flatMap { Questions.first($0) }?.bytes
    }

    /// Hands on what comes next, in pieces of about 1 MiB.
    mutating func next(
        wait: Double, _ body: (OplogBatch) throws(TidemarkError) -> Void
    ) throws(TidemarkError) -> Answer {
        if let reply = pending {
            pending = nil
            let known = isFirstKnown
            isFirstKnown = false
            let bytes = try OplogBatch.split(
                reply.bytes.span, "firstBatch", skippingFirst: known, body)
            if bytes > 0 { return .batch(bytes) }
        }
        guard id != 0 else { return .dead("it was empty") }
        let command = BSONDocument([
            ("getMore", .int64(id)), ("collection", .string("oplog.rs")),
            ("maxTimeMS", .int64(Int64(wait * 1000))),
        ])
        var next = id
        let answer = try connection.lend(command, on: "local", at: member) {
            (result) throws(TidemarkError) -> Answer in
            switch result {
            case .failure(let failure) where failure.isDeadCursor:
                next = 0
                return .dead(failure.text)
            case .failure(let failure):
                throw failure.error(connection.configuration, command: "getMore on local.oplog.rs")
            case .success(let reply):
                let span = unsafe reply.bytes.span
                let bytes = try OplogBatch.split(
                    span, "nextBatch", skippingFirst: false, body)
                if try OplogBatch.cursorID(span) == 0 { next = 0 }
                return bytes == 0 && next == 0 ? .dead("it ended") : .batch(bytes)
            }
        }
        id = next
        return answer
    }

    /// Tells the server, which does not matter: a cursor of a closed connection ends by itself.
    func close() {
        guard id != 0 else { return }
        _ = try? connection.answer(
            BSONDocument([
                ("killCursors", .string("oplog.rs")), ("cursors", .array([.int64(id)])),
            ]), on: "local", at: member)
    }
}
