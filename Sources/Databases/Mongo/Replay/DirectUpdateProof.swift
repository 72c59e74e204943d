import Model

/// Whether a server changes documents as `DirectUpdate` says. mongod does; others that speak its
/// protocol read the whole document and write it anew, and then a name that occurs twice, an old
/// type or a pattern's options are no longer what they were.
///
/// Tried with a document that has all of these, in the restore's own database.
struct DirectUpdateProof {
    private static let place = Namespace(RestoreProgress.place.database, "proof")
    private static let id = BSONValue.int32(1)

    private let connection: Connection

    init(_ connection: Connection) { self.connection = connection }

    func run() throws(TidemarkError) -> Bool {
        try drop()
        let isShown = try isShown()
        try drop()
        return isShown
    }

    private func drop() throws(TidemarkError) {
        // NamespaceNotFound.
        try connection.write(
            BSONDocument([("drop", .string(Self.place.collection))]), on: Self.place.database,
            tolerating: [26])
    }

    private func isShown() throws(TidemarkError) -> Bool {
        let inserting = BSONDocument([
            ("insert", .string(Self.place.collection)),
            ("documents", .array([.document(Self.before)])),
        ])
        guard try isDone(inserting, count: 1) else { return false }
        // One that is there, one that is not, and one that changes nothing any more.
        guard try isDone(Self.updating, count: 2) else { return false }
        return try connection.documents([Self.id], in: Self.place) == [Self.after]
    }

    /// A server that refuses it is one that does otherwise; one that cannot be reached is an error.
    private func isDone(_ command: BSONDocument, count: Int64) throws(TidemarkError) -> Bool {
        switch try connection.answer(command, on: Self.place.database, at: .primary) {
        case .success(let reply):
            return reply["writeErrors"] == nil && reply["n"]?.integer == count
        case .failure(let failure) where failure.domain == .server: return false
        case .failure(let failure):
            throw failure.targetError(connection.configuration, "the test of an update")
        }
    }

    // MARK: the document

    /// Nothing that a field says of itself may be lost.
    private static let others: [(String, BSONValue)] = [
        ("twice", .int32(1)), ("twice", .int32(2)),
        ("symbol", BSONValue(.symbol, [2, 0, 0, 0, 120, 0])),
        ("undefined", BSONValue(.undefined, [])),
        // `a` with the options m, i: the other way round they would be in order.
        ("pattern", BSONValue(.regex, [97, 0, 109, 105, 0])),
        ("nan", BSONValue(.double, [1, 0, 0, 0, 0, 0, 248, 127])),
    ]

    private static let before = BSONDocument(
        [("_id", id), ("m", .int32(1)), ("gone", .null), ("g", .int32(0))] + others)

    private static let after = BSONDocument(
        [("_id", id), ("m", .double(1)), ("g", .int32(7))]
            + others.map { $0.0 == "twice" && $0.1 == .int32(1) ? ("twice", .int64(1)) : $0 }
            + [("b", .bool(false)), ("n", .document(BSONDocument([("x", .int32(1))])))])

    private static let updating: BSONDocument = {
        let change = BSONDocument([
            ("b", .bool(false)), ("g", .int32(7)), ("m", .double(1)),
            ("n", .document(BSONDocument([("x", .int32(1))]))), ("twice", .int64(1)),
        ])
        let whole = BSONDocument([
            ("$set", .document(change)),
            ("$unset", .document(BSONDocument([("gone", .bool(true))]))),
        ])
        let again = BSONDocument([("$set", .document(BSONDocument([("g", .int32(7))])))])
        let statements = [(id, whole), (.int32(2), again), (id, again)]
        return BSONDocument([
            ("update", .string(place.collection)), ("ordered", .bool(true)),
            (
                "updates",
                .array(
                    statements.map { id, update in
                        .document(
                            BSONDocument([
                                ("q", .document(BSONDocument([("_id", id)]))),
                                ("u", .document(update)),
                            ]))
                    })
            ),
        ])
    }()
}
