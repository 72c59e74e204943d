import Model

/// Reads the documents of one collection in natural order, a batch at a time.
struct CollectionCursor {
    let connection: Connection
    let member: Connection.Member
    let namespace: Namespace
    var id: Int64
    var pending: BSONDocument?

    /// Documents of a batch: as many as fit into the server's 16 MB.
    private static let batchSize: Int32 = 100_000

    static func open(
        _ connection: Connection, _ member: Connection.Member, _ namespace: Namespace
    ) throws(TidemarkError) -> CollectionCursor {
        let reply = try connection.run(
            BSONDocument([
                ("find", .string(namespace.collection)),
                ("sort", .document(BSONDocument([("$natural", .int32(1))]))),
                ("batchSize", .int32(batchSize)), ("noCursorTimeout", .bool(true)),
            ]), on: namespace.database, at: member)
        return CollectionCursor(
            connection: connection, member: member, namespace: namespace,
            id: reply["cursor"]?.document?["id"]?.integer ?? 0, pending: reply)
    }

    /// Hands the next batch on; false when there was none.
    mutating func next(_ sink: any BaseBackupSink) throws(TidemarkError) -> Bool {
        if let reply = pending {
            pending = nil
            try Self.handOn(reply.bytes.span, "firstBatch", sink)
            return true
        }
        guard id != 0 else { return false }
        let command = BSONDocument([
            ("getMore", .int64(id)), ("collection", .string(namespace.collection)),
            ("batchSize", .int32(Self.batchSize)),
        ])
        id = try connection.lend(command, on: namespace.database, at: member) {
            (result) throws(TidemarkError) -> Int64 in
            switch result {
            case .success(let reply):
                let span = unsafe reply.bytes.span
                try Self.handOn(span, "nextBatch", sink)
                return Int64(bitPattern: try OplogBatch.cursorID(span))
            case .failure(let failure):
                throw failure.error(connection.configuration, command: "getMore on \(namespace)")
            }
        }
        return true
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
