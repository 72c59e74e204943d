import Model

// What a restore asks of a server that it fills.
extension Connection {
    /// A command that must succeed, or fail with one of these codes.
    func write(
        _ command: BSONDocument, on database: String, tolerating codes: Set<Int>
    ) throws(TidemarkError) {
        switch try answer(command, on: database, at: .primary) {
        case .success(let reply):
            guard let refusal = reply.refusedWrite else { return }
            throw refusal.targetError(configuration, command.text(limit: 200))
        case .failure(let failure) where failure.domain == .server && codes.contains(failure.code):
            return
        case .failure(let failure):
            throw failure.targetError(configuration, command.text(limit: 200))
        }
    }

    /// Those of these `_id`s that exist.
    func documents(
        _ ids: [BSONValue], in namespace: Namespace
    ) throws(TidemarkError) -> [BSONDocument] {
        var found: [BSONDocument] = []
        let command = BSONDocument([
            ("find", .string(namespace.collection)), ("filter", .document(Self.any(of: ids))),
            ("batchSize", .int32(Int32(clamping: ids.count))),
        ])
        do throws(TidemarkError) {
            try each(command, on: namespace.database, at: .primary) { found.append($0) }
        } catch let error where error.code == .notFound {
            return []
        }
        return found
    }

    private static func any(of ids: [BSONValue]) -> BSONDocument {
        BSONDocument([("_id", .document(BSONDocument([("$in", .array(ids))])))])
    }

    /// Returns how many there were.
    func delete(_ ids: [BSONValue], in namespace: Namespace) throws(TidemarkError) -> Int {
        let statement = BSONDocument([
            ("q", .document(Self.any(of: ids))), ("limit", .int32(0)),
        ])
        let command = BSONDocument([
            ("delete", .string(namespace.collection)),
            ("deletes", .array([.document(statement)])),
        ])
        switch try answer(command, on: namespace.database, at: .primary) {
        case .success(let reply):
            if let refusal = reply.refusedWrite {
                throw refusal.targetError(configuration, "deletions in \(namespace)")
            }
            return Int(reply["n"]?.integer ?? 0)
        case .failure(let failure):
            throw failure.targetError(configuration, "deletions in \(namespace)")
        }
    }

    /// Inserts; those that are there already are replaced.
    func insert(_ puts: [WriteBatch.Put], in namespace: Namespace) throws(TidemarkError) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(puts.reduce(0) { $0 + $1.document.bytes.count })
        for put in puts { bytes += put.document.bytes }
        let there = try BulkInsert.run(
            self, namespace, bytes, count: puts.count, isOrdered: false)
        if there.isEmpty { return }
        _ = try put(there.map { puts[$0] }, in: namespace, isOrdered: false)
    }

    /// Has the server change documents by itself; returns how many there were not. Of a statement
    /// that it refuses the document is changed here, as others are.
    ///
    /// - Precondition: the server has shown that it does the same.
    func update(
        _ changes: [WriteBatch.Change], in namespace: Namespace
    ) throws(TidemarkError) -> Int {
        let reply: BSONDocument
        switch try answer(
            Self.statements(changes, in: namespace), on: namespace.database, at: .primary)
        {
        case .success(let told): reply = told
        case .failure(let failure):
            throw failure.targetError(configuration, "updates in \(namespace)")
        }
        let refused = (reply["writeErrors"]?.elements ?? []).compactMap { error in
            error.document?["index"]?.integer.flatMap { Int(exactly: $0) }
        }.filter(changes.indices.contains).map { changes[$0] }
        let missing = changes.count - refused.count - Int(reply["n"]?.integer ?? 0)
        return try max(0, missing) + rewrite(refused, in: namespace)
    }

    private static func statements(
        _ changes: [WriteBatch.Change], in namespace: Namespace
    ) -> BSONDocument {
        var writer = BSONWriter()
        writer.append("update", .string(namespace.collection))
        writer.append("ordered", .bool(false))
        writer.append("bypassDocumentValidation", .bool(true))
        writer.begin(.array, "updates".utf8)
        for (place, change) in changes.enumerated() {
            change.update.write(place, of: change.id, &writer)
        }
        writer.end()
        return writer.finish()
    }

    /// Reads, changes and puts; returns how many there were not.
    private func rewrite(
        _ changes: [WriteBatch.Change], in namespace: Namespace
    ) throws(TidemarkError) -> Int {
        guard !changes.isEmpty else { return 0 }
        var window = WriteWindow()
        for change in changes { window.update(change.id, change.update.form) }
        let (batch, missing) = window.batch(try documents(window.wanted, in: namespace))
        _ = try put(batch.puts, in: namespace, isOrdered: false)
        return missing
    }

    /// Replaces, or makes. Returns how many were new.
    func put(
        _ puts: [WriteBatch.Put], in namespace: Namespace, isOrdered: Bool
    ) throws(TidemarkError) -> Int {
        var bulk = BulkWrite(self, namespace, isOrdered: isOrdered)
        for put in puts { bulk.put(put.id, put.document) }
        let (new, failure) = try bulk.send()
        guard let failure else { return new }
        guard failure.isMixedBuckets else {
            throw failure.targetError(configuration, "documents for \(namespace)")
        }
        try takeMixedBuckets(namespace)
        var again = BulkWrite(self, namespace, isOrdered: isOrdered)
        for put in puts { again.put(put.id, put.document) }
        return try new + again.run()
    }

    /// Has a server take buckets that hold a field in different types. A time series that was made
    /// before 5.2 may have such, and its server knows that without any entry of the oplog.
    func takeMixedBuckets(_ namespace: Namespace) throws(TidemarkError) {
        guard let series = NamespacePolicy.timeSeries(of: namespace) else { return }
        try write(
            BSONDocument([
                ("collMod", .string(series.collection)),
                ("timeseriesBucketsMayHaveMixedSchemaData", .bool(true)),
            ]), on: series.database, tolerating: [])
    }
}

extension BSONDocument {
    /// The first statement of a write that was refused: the answer says `ok` all the same.
    var refusedWrite: ConnectionFailure? {
        guard let first = self["writeErrors"]?.elements?.first?.document else { return nil }
        return ConnectionFailure(
            .server, code: first["code"]?.integer.flatMap { Int(exactly: $0) } ?? 0,
            first["errmsg"]?.string ?? first.text(limit: 200))
    }
}
