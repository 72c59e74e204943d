import Model

/// A change stream on all databases, by plain commands: libmongoc's own (1.23) cannot ask for
/// everything that servers of today tell.
///
/// ```
/// {aggregate: 1, pipeline: [{$changeStream: {allChangesForCluster: true, showExpandedEvents: true,
///     startAtOperationTime: T | startAfter: <token>}}, {$changeStreamSplitLargeEvent: {}}]}
/// ```
///
/// Only what a majority has is told. The first time is included, so it is one behind what is known.
/// The archive holds whole times only, so a time is as exact as a token. Behind a token a newer
/// version may tell more of the same time than the one before did, so by a token it is only asked
/// whether the server still has it (`JoinProof`).
struct ChangeStreamCursor {
    /// Where it begins.
    enum Start: Hashable, Sendable {
        /// With the first event behind this time.
        case behind(OpTime)
        /// Behind the event or the answer of this token.
        case after(BSONDocument)
    }

    /// How a question ended.
    enum Answer {
        /// How many events came.
        case batch(events: Int, bytes: Int)
        /// The cursor is gone; why.
        case dead(String)
    }

    let connection: Connection
    let member: Connection.Member
    private var id: Int64
    /// What `aggregate` itself brought, until it is taken.
    private var pending: BSONDocument?
    /// The token behind the last answer.
    private(set) var token: BSONDocument?

    /// The server has closed it.
    var isOver: Bool { id == 0 && pending == nil }

    /// Events of an answer: at first as many as fit into the server's 16 MB.
    var batchSize: Int32 = 100_000

    /// Events of the first answer. With none the server would not look whether it still has the
    /// place; with more it would look through all that lies behind, longer than the socket waits.
    private static let firstBatchSize: Int32 = 1

    static func open(
        _ connection: Connection, _ member: Connection.Member, _ start: Start,
        _ features: ChangeFeatures
    ) throws(TidemarkError) -> Result<ChangeStreamCursor, ConnectionFailure> {
        var options: [(String, BSONValue)] = [("allChangesForCluster", .bool(true))]
        if features.hasExpandedEvents { options.append(("showExpandedEvents", .bool(true))) }
        switch start {
        case .behind(let time):
            options.append(
                ("startAtOperationTime", .timestamp(OpTime(ordinal: time.ordinal + 1))))
        case .after(let token): options.append(("startAfter", .document(token)))
        }
        var pipeline = [
            BSONDocument([("$changeStream", .document(BSONDocument(options)))])
        ]
        if features.splitsLargeEvents {
            pipeline.append(BSONDocument([("$changeStreamSplitLargeEvent", .document(.empty))]))
        }
        let command = BSONDocument([
            ("aggregate", .int32(1)), ("pipeline", .array(pipeline.map { .document($0) })),
            ("cursor", .document(BSONDocument([("batchSize", .int32(firstBatchSize))]))),
            ("readConcern", .document(BSONDocument([("level", .string("majority"))]))),
        ])
        switch try connection.answer(command, on: "admin", at: member) {
        case .success(let reply):
            let cursor = reply["cursor"]?.document
            return .success(
                ChangeStreamCursor(
                    connection: connection, member: member, id: cursor?["id"]?.integer ?? 0,
                    pending: reply, token: cursor?["postBatchResumeToken"]?.document))
        case .failure(let failure): return .failure(failure)
        }
    }

    /// Hands on each event that comes next: the answer, and where in it the event begins.
    mutating func next(
        wait: Double, _ body: (Span<UInt8>, Int) throws(TidemarkError) -> Void
    ) throws(TidemarkError) -> Answer {
        if let reply = pending {
            pending = nil
            let (events, bytes) = try Self.each(reply.bytes.span, "firstBatch", body)
            if events > 0 { return .batch(events: events, bytes: bytes) }
        }
        guard id != 0 else { return .dead("it ended") }
        let command = more(batchSize, wait)
        var next = id
        var newest = token
        let answer = try connection.lend(command, on: "admin", at: member) {
            (result) throws(TidemarkError) -> Answer in
            switch result {
            case .failure(let failure) where failure.isResumable:
                next = 0
                return .dead(failure.text)
            case .failure(let failure) where failure.isEventMissing:
                throw ChangeOpening.missing(connection.configuration, failure.text)
            case .failure(let failure):
                throw failure.error(connection.configuration, command: "getMore on changes")
            case .success(let reply):
                let span = unsafe reply.bytes.span
                let (events, bytes) = try Self.each(span, "nextBatch", body)
                newest = try Self.token(span) ?? newest
                if try OplogBatch.cursorID(span) == 0 { next = 0 }
                return events == 0 && next == 0
                    ? .dead("it ended") : .batch(events: events, bytes: bytes)
            }
        }
        id = next
        token = newest
        return answer
    }

    private func more(_ events: Int32, _ wait: Double) -> BSONDocument {
        BSONDocument([
            ("getMore", .int64(id)), ("collection", .string("$cmd.aggregate")),
            ("batchSize", .int32(events)),
            ("maxTimeMS", .int64(max(1, Int64(wait * 1000)))),
        ])
    }

    /// Asks once for one more event, and looks only at whether the server fails.
    func failure(wait: Double) throws(TidemarkError) -> ConnectionFailure? {
        guard id != 0 else { return nil }
        switch try connection.answer(more(1, wait), on: "admin", at: member) {
        case .success: return nil
        case .failure(let failure): return failure
        }
    }

    private static func each(
        _ reply: Span<UInt8>, _ name: String,
        _ body: (Span<UInt8>, Int) throws(TidemarkError) -> Void
    ) throws(TidemarkError) -> (events: Int, bytes: Int) {
        var events = 0
        var bytes = 0
        var walker: BSONWalker
        do throws(BSONFailure) {
            guard let place = try OplogBatch.find(reply, name) else { return (0, 0) }
            walker = try BSONWalker(reply, at: place)
        } catch {
            throw OplogBatch.malformed(error)
        }
        while true {
            let element: BSONElement?
            do throws(BSONFailure) {
                element = try walker.next(reply)
            } catch {
                throw OplogBatch.malformed(error)
            }
            guard let element else { return (events, bytes) }
            try body(reply, element.value.lowerBound)
            events += 1
            bytes += element.value.count
        }
    }

    private static func token(_ reply: Span<UInt8>) throws(TidemarkError) -> BSONDocument? {
        do throws(BSONFailure) {
            guard let found = try OplogBatch.findDocument(reply, "postBatchResumeToken") else {
                return nil
            }
            return try BSONDocument(reply.extracting(found).array)
        } catch {
            throw OplogBatch.malformed(error)
        }
    }

    /// Tells the server, which does not matter: a cursor of a closed connection ends by itself.
    func close() {
        guard id != 0 else { return }
        _ = try? connection.answer(
            BSONDocument([
                ("killCursors", .string("$cmd.aggregate")), ("cursors", .array([.int64(id)])),
            ]), on: "admin", at: member)
    }
}
