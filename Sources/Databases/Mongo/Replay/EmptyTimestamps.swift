import Model

/// Empty timestamps at the top of documents, on their way into a server.
///
/// A server puts its own time in the place of each in what is inserted or replaced, `_id` apart
/// (`fixDocumentForInsert`, `ObjectReplaceNode`; 3.6.8 was seen to do so). By `$set`, which is how
/// a source came to have one, it takes it as it is, at the place where the field stands.
struct EmptyTimestamps {
    private struct Document {
        var id: BSONValue
        var names: [String]
    }

    private var documents: [Document] = []

    /// Statements of one command.
    private static let size = 1000

    /// - Precondition: the documents lie one behind the other, and were checked.
    mutating func look(_ bytes: [UInt8], count: Int) {
        var start = 0
        for _ in 0..<count {
            let length = Int(bytes.span.int32(at: start))
            let names = Self.names(bytes.span, at: start)
            if !names.isEmpty {
                take(BSONDocument(sound: Array(bytes[start..<start + length])), names)
            }
            start += length
        }
    }

    mutating func look(_ document: BSONDocument) {
        let names = Self.names(document.bytes.span, at: 0)
        if !names.isEmpty { take(document, names) }
    }

    private mutating func take(_ document: BSONDocument, _ names: [String]) {
        guard let id = document["_id"] else { return }
        documents.append(Document(id: id, names: names))
    }

    private static func names(_ bytes: Span<UInt8>, at start: Int) -> [String] {
        var names: [String] = []
        guard var walker = try? BSONWalker(bytes, at: start) else { return [] }
        while let element = try? walker.next(bytes) {
            guard element.type == .timestamp, bytes.uint64(at: element.value.lowerBound) == 0,
                !bytes.holds("_id", at: element.name)
            else { continue }
            names.append(String(decoding: bytes.extracting(element.name).array, as: UTF8.self))
        }
        return names
    }

    /// Behind the documents, over the same connection.
    func put(
        _ connection: Connection, into namespace: Namespace
    ) throws(TidemarkError) {
        for part in documents.pieces(Self.size, { _ in 1 }) {
            let updates = try part.map { (document) throws(TidemarkError) in
                try statement(document, namespace)
            }
            let command = BSONDocument([
                ("update", .string(namespace.collection)), ("updates", .array(updates)),
                ("bypassDocumentValidation", .bool(true)),
            ])
            let failure: ConnectionFailure
            switch try connection.answer(command, on: namespace.database, at: .primary) {
            case .failure(let told): failure = told
            case .success(let reply):
                guard let told = reply["writeErrors"]?.elements?.first?.document else { continue }
                failure = ConnectionFailure(
                    .server, code: Int(told["code"]?.integer ?? 0),
                    told["errmsg"]?.string ?? "it does not say why")
            }
            throw failure.targetError(
                connection.configuration, "empty timestamps in \(namespace)")
        }
    }

    private func statement(
        _ document: Document, _ namespace: Namespace
    ) throws(TidemarkError) -> BSONValue {
        if let name = document.names.first(where: {
            $0.isEmpty || $0.utf8.contains(UInt8(ascii: ".")) || $0.begins(with: "$")
        }) {
            throw TidemarkError(
                .failed,
                "a document of \(namespace) has an empty timestamp in a field named \"\(name)\", "
                    + "which no update can name, and a server puts its own time there",
                remedy: "restore into a folder, and put that document in by hand")
        }
        let fields = document.names.map { ($0, BSONValue.timestamp(.zero)) }
        return .document(
            BSONDocument([
                ("q", .document(BSONDocument([("_id", Self.equal(document.id))]))),
                ("u", .document(BSONDocument([("$set", .document(BSONDocument(fields)))]))),
            ]))
    }

    /// An `_id` may be a document whose names begin with a dollar.
    private static func equal(_ id: BSONValue) -> BSONValue {
        .document(BSONDocument([("$eq", id)]))
    }
}
