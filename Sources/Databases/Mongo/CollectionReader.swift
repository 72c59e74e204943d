import Model

/// Reads one part of a base backup to its end, whatever happens to its cursor or to the name of its
/// collection. Owned by one thread.
struct CollectionReader {
    /// What the readers of one base backup know together.
    struct Shared: Sendable {
        /// All documents are read as of this entry; nil once some could not be.
        var moment: OpTime?
        var warnings: [String] = []
    }

    let connection: Connection
    let member: Connection.Member
    let part: ReadPart
    /// Reads and changes what is shared.
    let share: ((inout Shared) -> Void) -> Shared

    /// Times in a row that a cursor may be lost without having brought the reading forward.
    private static let limit = 5

    private enum End { case done, lost(ConnectionFailure) }

    /// - Parameter hand: takes batches of documents in order; false when no more are wanted.
    func run(_ hand: ([UInt8]) throws(TidemarkError) -> Bool) throws(TidemarkError) {
        var place = ReadPlace(part.order)
        var namespace = part.collection.namespace
        var losses = 0
        while !place.isAtGreatest {
            let moment = part.canBeExact ? share { _ in }.moment : nil
            if moment == nil { _ = share { $0.moment = nil } }
            var isHeld = true
            let before = place
            let end = try read(namespace, &place, moment) { (batch) throws(TidemarkError) in
                isHeld = try hand(batch)
                return isHeld
            }
            guard isHeld, case .lost(let failure) = end else { return }
            losses = place == before || place.order == .natural ? losses + 1 : 0
            guard losses < Self.limit else {
                throw failure.error(connection.configuration, command: "find on \(namespace)")
            }
            if failure.isSnapshotLost { giveUpMoment(namespace) }
            let isExact = moment != nil && share { _ in }.moment == moment
            place.goOn(isExact: isExact)
            if !isExact {
                guard let now = try whereabouts(namespace) else { return }
                namespace = now
            }
        }
    }

    /// Reads until the end, or until the cursor is lost.
    private func read(
        _ namespace: Namespace, _ place: inout ReadPlace, _ moment: OpTime?,
        _ hand: ([UInt8]) throws(TidemarkError) -> Bool
    ) throws(TidemarkError) -> End {
        var question = CollectionCursor.Question(
            namespace: namespace, order: place.order, skip: place.skip, moment: moment)
        if case .lost(let failure) = try drain(question, &place, hand) { return .lost(failure) }
        guard place.omitsGreatest else { return .done }
        question.isForGreatest = true
        return try drain(question, &place, hand)
    }

    private func drain(
        _ question: CollectionCursor.Question, _ place: inout ReadPlace,
        _ hand: ([UInt8]) throws(TidemarkError) -> Bool
    ) throws(TidemarkError) -> End {
        var cursor: CollectionCursor
        switch try CollectionCursor.open(connection, member, question) {
        case .cursor(let opened): cursor = opened
        case .noSnapshot:
            _ = share { $0.moment = nil }
            var now = question
            now.moment = nil
            now.skip = 0
            return try drain(now, &place, hand)
        case .failed(let failure) where failure.endsCursor: return .lost(failure)
        case .failed(let failure):
            throw failure.error(
                connection.configuration, command: "find on \(question.namespace)")
        }
        defer { cursor.close() }
        // An open cursor stays with its collection, but a name may have passed to another one.
        if question.moment == nil, try !isStill(question.namespace) {
            return .lost(
                ConnectionFailure(.server, code: 26, "\(question.namespace) was renamed"))
        }
        var known = place.known
        while true {
            switch try cursor.next() {
            case .end: return .done
            case .lost(let failure): return .lost(failure)
            case .documents(var batch):
                if let id = known, !batch.isEmpty {
                    batch = try Self.dropping(id, batch)
                    known = nil
                }
                guard !batch.isEmpty else { continue }
                let (count, last) = try Self.survey(batch)
                place.pass(count, last: last)
                guard try hand(batch) else { return .done }
            }
        }
    }

    private func giveUpMoment(_ namespace: Namespace) {
        _ = share { shared in
            guard shared.moment != nil else { return }
            shared.moment = nil
            shared.warnings.append(
                "\(namespace) took longer to read than the server keeps its history, so "
                    + "the base backup is not of one moment; raise it by "
                    + "db.adminCommand({setParameter: 1, minSnapshotHistoryWindowInSeconds: 3600})")
        }
    }

    // MARK: names

    private func isStill(_ namespace: Namespace) throws(TidemarkError) -> Bool {
        guard let uuid = part.collection.uuid else { return true }
        return try names(namespace.database, named: namespace.collection)[uuid] != nil
    }

    /// The collection's name now; nil when it is gone, which the oplog tells too.
    private func whereabouts(_ namespace: Namespace) throws(TidemarkError) -> Namespace? {
        guard let uuid = part.collection.uuid else { return namespace }
        return try names(namespace.database)[uuid].map { Namespace(namespace.database, $0) }
    }

    private func names(
        _ database: String, named name: String? = nil
    ) throws(TidemarkError) -> [CollectionUUID: String] {
        var names: [CollectionUUID: String] = [:]
        let filter = name.map { BSONDocument([("name", .string($0))]) } ?? .empty
        let command = BSONDocument([
            ("listCollections", .int32(1)), ("filter", .document(filter)),
        ])
        try connection.each(command, on: database, at: member) { description in
            let uuid = description["info"]?.document?["uuid"]?.uuid
            guard let uuid, let name = description["name"]?.string else { return }
            names[uuid] = name
        }
        return names
    }

    // MARK: documents

    /// Without the first document if it is that of `id`.
    private static func dropping(
        _ id: BSONValue, _ batch: [UInt8]
    ) throws(TidemarkError) -> [UInt8] {
        try whole { () throws(BSONFailure) in
            let length = try BSONWalker.length(batch.span, at: 0)
            let first = try BSONDocument(Array(batch[..<length]))
            return first["_id"] == id ? Array(batch[length...]) : batch
        }
    }

    /// How many documents there are, and the `_id` of the last.
    private static func survey(
        _ batch: [UInt8]
    ) throws(TidemarkError) -> (count: Int, last: BSONValue?) {
        try whole { () throws(BSONFailure) in
            var count = 0
            var start = 0
            var next = 0
            while next < batch.count {
                start = next
                next += try BSONWalker.length(batch.span, at: start)
                count += 1
            }
            return (count, try BSONDocument(Array(batch[start...]))["_id"])
        }
    }

    private static func whole<R>(_ body: () throws(BSONFailure) -> R) throws(TidemarkError) -> R {
        do throws(BSONFailure) {
            return try body()
        } catch {
            throw error.error(
                .sourceUnreachable, in: "an answer of the server",
                remedy: "take the base backup again")
        }
    }
}
