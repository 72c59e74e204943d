import Model

/// Reads the documents of one collection, or of a stretch of it, a batch at a time.
struct CollectionCursor {
    /// What is asked.
    struct Question {
        var namespace: Namespace
        var order: ReadOrder
        /// Documents in front that have been read already.
        var skip: Int64 = 0
        /// As of this entry; nil for what a majority has now.
        var moment: OpTime?
        /// Instead of a stretch, the document that its bounds leave out.
        var isForGreatest = false
    }

    enum Opened {
        case cursor(CollectionCursor)
        /// This server cannot, or can no longer, read as of the moment.
        case noSnapshot
        case failed(ConnectionFailure)
    }

    enum Step {
        case documents([UInt8])
        case end
        /// The server has closed the cursor, or lost the history for the moment.
        case lost(ConnectionFailure)
    }

    private let connection: Connection
    private let member: Connection.Member
    private let question: Question
    private var id: Int64
    private var first: BSONDocument?

    /// Documents of a batch: as many as fit into the server's 16 MB.
    static let batchSize: Int32 = 100_000

    static func open(
        _ connection: Connection, _ member: Connection.Member, _ question: Question
    ) throws(TidemarkError) -> Opened {
        let namespace = question.namespace
        switch try connection.answer(question.command, on: namespace.database, at: member) {
        case .success(let reply):
            let cursor = CollectionCursor(connection, member, question, reply)
            // Some that speak the protocol pay no heed to the moment: they answer another.
            let answered = reply["cursor"]?.document?["atClusterTime"]?.timestamp
            guard question.moment == nil || answered == question.moment else {
                cursor.close()
                return .noSnapshot
            }
            return .cursor(cursor)
        case .failure(let failure)
        where question.moment != nil && failure.domain == .server && !failure.isMissingRight:
            return .noSnapshot
        case .failure(let failure): return .failed(failure)
        }
    }

    private init(
        _ connection: Connection, _ member: Connection.Member, _ question: Question,
        _ reply: BSONDocument
    ) {
        self.connection = connection
        self.member = member
        self.question = question
        id = reply["cursor"]?.document?["id"]?.integer ?? 0
        first = reply
    }

    /// The next batch, its documents one behind the other.
    mutating func next() throws(TidemarkError) -> Step {
        if let reply = first {
            first = nil
            return .documents(try Self.documents(reply.bytes.span, "firstBatch"))
        }
        guard id != 0 else { return .end }
        let namespace = question.namespace
        let command = BSONDocument([
            ("getMore", .int64(id)), ("collection", .string(namespace.collection)),
            ("batchSize", .int32(Self.batchSize)),
        ])
        let (step, next) = try connection.lend(command, on: namespace.database, at: member) {
            (result) throws(TidemarkError) -> (Step, Int64) in
            switch result {
            case .success(let reply):
                let span = unsafe reply.bytes.span
                let documents = try Self.documents(span, "nextBatch")
                return (.documents(documents), Int64(bitPattern: try OplogBatch.cursorID(span)))
            case .failure(let failure) where failure.endsCursor: return (.lost(failure), 0)
            case .failure(let failure):
                throw failure.error(connection.configuration, command: "getMore on \(namespace)")
            }
        }
        id = next
        return step
    }

    /// Tells the server that no more is wanted; one that does not hear it forgets the cursor by
    /// itself.
    func close() {
        guard id != 0 else { return }
        _ = try? connection.answer(
            BSONDocument([
                ("killCursors", .string(question.namespace.collection)),
                ("cursors", .array([.int64(id)])),
            ]), on: question.namespace.database, at: member)
    }

    private static func documents(
        _ reply: Span<UInt8>, _ name: String
    ) throws(TidemarkError) -> [UInt8] {
        var whole: [UInt8] = []
        do throws(BSONFailure) {
            guard let place = try OplogBatch.find(reply, name) else { return [] }
            var walker = try BSONWalker(reply, at: place)
            whole.reserveCapacity(walker.end - place)
            while let element = try walker.next(reply) {
                let document = reply.extracting(element.value)
                unsafe document.withUnsafeBufferPointer { unsafe whole.append(contentsOf: $0) }
            }
        } catch {
            throw error.error(
                .sourceUnreachable, in: "an answer of the server",
                remedy: "take the base backup again")
        }
        return whole
    }
}

extension CollectionCursor.Question {
    var command: BSONDocument {
        var fields: [(String, BSONValue)] = [("find", .string(namespace.collection))]
        switch order {
        case _ where isForGreatest: fields += IDRange.greatest
        case .natural:
            fields.append(("sort", .document(BSONDocument([("$natural", .int32(1))]))))
        case .byID(let range): fields += range.fields
        }
        if skip > 0 { fields.append(("skip", .int64(skip))) }
        let concern =
            moment.map { SnapshotRead.concern($0) }
            // What only this member has may be rolled back, and no entry would tell.
            ?? BSONDocument([("level", .string("majority"))])
        return BSONDocument(
            fields + [
                ("batchSize", .int32(CollectionCursor.batchSize)), ("noCursorTimeout", .bool(true)),
                ("readConcern", .document(concern)),
            ])
    }
}
