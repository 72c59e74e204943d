import Model

/// Users and roles while they are replayed: few, and not for the server before the end. A server
/// has its own, among them the one that fills it.
final class HeldUsers {
    private(set) var documents: [Namespace: [BSONValue: BSONDocument]] = [:]

    static func isPlace(_ namespace: Namespace) -> Bool {
        NamespacePolicy.verdict(namespace) == .users
    }

    func put(_ document: BSONDocument, in namespace: Namespace) {
        if let id = document["_id"] { documents[namespace, default: [:]][id] = document }
    }

    func found(_ ids: [BSONValue], in namespace: Namespace) -> [BSONDocument] {
        ids.compactMap { documents[namespace]?[$0] }
    }

    func write(_ batch: WriteBatch, to namespace: Namespace) {
        for deletion in batch.deletions { documents[namespace]?[deletion.id] = nil }
        for item in batch.puts { put(item.document, in: namespace) }
    }

    func empty(_ namespace: Namespace) { documents[namespace] = nil }

    var isEmpty: Bool { documents.values.allSatisfy(\.isEmpty) }

    /// Roles first: users name them.
    private var places: [Namespace] {
        documents.keys.sorted {
            ($0.collection == "system.users" ? 1 : 0, $0)
                < ($1.collection == "system.users" ? 1 : 0, $1)
        }
    }

    /// Puts those that the server lacks where they belong. Returns what is worth a line: who was
    /// there already, and who was refused.
    func restore(_ connection: Connection) throws(TidemarkError) -> [String] {
        var notes: [String] = []
        for place in places {
            let what = place.collection == "system.users" ? "user" : "role"
            var kept: [String] = []
            var refused: [String] = []
            var reason = ""
            for (_, document) in (documents[place] ?? [:]).sorted(by: { $0.key < $1.key }) {
                let name = document["_id"]?.string ?? "?"
                let reply = try connection.answer(
                    BSONDocument([
                        ("insert", .string(place.collection)),
                        ("documents", .array([.document(document)])),
                    ]), on: place.database, at: .primary)
                switch reply {
                case .success(let reply):
                    guard let failure = reply["writeErrors"]?.elements?.first?.document else {
                        continue
                    }
                    // DuplicateKey.
                    if failure["code"]?.integer == 11000 {
                        if try !isThere(document, in: place, connection) { kept.append(name) }
                    } else {
                        refused.append(name)
                        reason = failure["errmsg"]?.string ?? ""
                    }
                // A server that goes down, or is interrupted, has refused nothing.
                case .failure(let failure) where failure.domain == .server && !failure.isPassing:
                    refused.append(name)
                    reason = failure.text
                case .failure(let failure):
                    throw failure.targetError(connection.configuration, "\(what) \(name)")
                }
            }
            if !kept.isEmpty {
                notes.append(
                    "the server has its own \(what) \(kept.joined(separator: ", ")), which was "
                        + "left as it is")
            }
            if !refused.isEmpty { notes.append(refusal(what, refused, reason)) }
        }
        return notes
    }

    /// Whether this very one is there already: an interrupted end of this restore has put it.
    private func isThere(
        _ document: BSONDocument, in place: Namespace, _ connection: Connection
    ) throws(TidemarkError) -> Bool {
        guard let id = document["_id"] else { return false }
        let reply = try connection.answer(
            BSONDocument([
                ("find", .string(place.collection)),
                ("filter", .document(BSONDocument([("_id", id)]))), ("limit", .int32(1)),
                ("singleBatch", .bool(true)),
            ]), on: place.database, at: .primary)
        switch reply {
        case .success(let reply): return Questions.first(reply) == document
        // Who may not look cannot tell them apart, and says so of too many.
        case .failure(let failure) where failure.domain == .server && !failure.isPassing:
            return false
        case .failure(let failure):
            throw failure.targetError(connection.configuration, "\(place)")
        }
    }

    private func refusal(_ what: String, _ names: [String], _ reason: String) -> String {
        "not restored, because the server refused \(reason): \(what) "
            + names.joined(separator: ", ")
            + "; make them again by `create\(what == "user" ? "User" : "Role")`, or restore into a "
            + "folder, of which `mongorestore --nsInclude 'admin.*' FOLDER` takes all users and "
            + "roles"
    }
}

extension BSONValue {
    /// Of names, by their bytes.
    fileprivate static func < (a: BSONValue, b: BSONValue) -> Bool {
        a.bytes.lexicographicallyPrecedes(b.bytes)
    }
}
