import Model

/// Reads the documents of one collection in natural order, a batch at a time.
struct CollectionCursor {
    let connection: Connection
    let member: Connection.Member
    let namespace: Namespace
    var id: Int64
    var pending: BSONDocument?
    /// As of one moment: the server may lose the history for it.
    var isSnapshot = false

    enum Step { case more, end, snapshotLost }

    /// Documents of a batch: as many as fit into the server's 16 MB.
    private static let batchSize: Int32 = 100_000

    static func open(
        _ connection: Connection, _ member: Connection.Member, _ namespace: Namespace
    ) throws(TidemarkError) -> CollectionCursor {
        let reply = try connection.run(
            question(namespace), on: namespace.database, at: member)
        return CollectionCursor(connection, member, namespace, reply)
    }

    /// Reads all documents as they were at this entry; nil where the server cannot.
    static func open(
        _ connection: Connection, _ member: Connection.Member, _ namespace: Namespace,
        at moment: OpTime
    ) throws(TidemarkError) -> CollectionCursor? {
        let command = question(namespace).setting(
            "readConcern", .document(SnapshotRead.concern(moment)))
        switch try connection.answer(command, on: namespace.database, at: member) {
        case .success(let reply):
            // Some that speak the protocol pay no heed to the moment: they answer another.
            guard reply["cursor"]?.document?["atClusterTime"]?.timestamp == moment else {
                return nil
            }
            var cursor = CollectionCursor(connection, member, namespace, reply)
            cursor.isSnapshot = true
            return cursor
        case .failure(let failure) where failure.domain == .server && !failure.isMissingRight:
            return nil
        case .failure(let failure):
            throw failure.error(connection.configuration, command: "find on \(namespace)")
        }
    }

    private static func question(_ namespace: Namespace) -> BSONDocument {
        BSONDocument([
            ("find", .string(namespace.collection)),
            ("sort", .document(BSONDocument([("$natural", .int32(1))]))),
            ("batchSize", .int32(batchSize)), ("noCursorTimeout", .bool(true)),
        ])
    }

    private init(
        _ connection: Connection, _ member: Connection.Member, _ namespace: Namespace,
        _ reply: BSONDocument
    ) {
        self.connection = connection
        self.member = member
        self.namespace = namespace
        id = reply["cursor"]?.document?["id"]?.integer ?? 0
        pending = reply
    }

    /// Hands the next batch on.
    mutating func next(_ sink: any BaseBackupSink) throws(TidemarkError) -> Step {
        if let reply = pending {
            pending = nil
            try Self.handOn(reply.bytes.span, "firstBatch", sink)
            return .more
        }
        guard id != 0 else { return .end }
        let command = BSONDocument([
            ("getMore", .int64(id)), ("collection", .string(namespace.collection)),
            ("batchSize", .int32(Self.batchSize)),
        ])
        let next = try connection.lend(command, on: namespace.database, at: member) {
            (result) throws(TidemarkError) -> Int64? in
            switch result {
            case .success(let reply):
                let span = unsafe reply.bytes.span
                try Self.handOn(span, "nextBatch", sink)
                return Int64(bitPattern: try OplogBatch.cursorID(span))
            case .failure(let failure) where isSnapshot && failure.isSnapshotLost: return nil
            case .failure(let failure):
                throw failure.error(connection.configuration, command: "getMore on \(namespace)")
            }
        }
        guard let next else { return .snapshotLost }
        id = next
        return .more
    }

    private static func handOn(
        _ reply: Span<UInt8>, _ name: String, _ sink: any BaseBackupSink
    ) throws(TidemarkError) {
        var whole: [UInt8] = []
        do throws(BSONFailure) {
            guard let place = try OplogBatch.find(reply, name) else { return }
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
        if !whole.isEmpty { try unsafe sink.append(whole.span.bytes) }
    }
}
