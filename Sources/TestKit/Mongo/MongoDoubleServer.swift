import Mongo
import Platform

// What the double tells of itself: sizes, counts, settings, users. The shapes are those that a
// 4.4.4 was recorded to answer, without what nobody reads.
extension MongoDoubleAnswers {
    /// As servers do: 32 bits where they suffice.
    private func number(_ value: Int64) -> BSONValue {
        Int32(exactly: value).map { .int32($0) } ?? .int64(value)
    }

    /// `collStats`. Who may not ask for the oplog's is told so.
    func statistics(_ place: Namespace) -> BSONDocument {
        if place == .oplog, state.read({ $0.oplogLimit }) == nil {
            return error(13, "Unauthorized", "not authorized on local to execute command collStats")
        }
        guard let facts = sizes(place) else {
            return error(26, "NamespaceNotFound", "ns not found: \(place)")
        }
        return ok([("ns", .string(place.description))] + facts)
    }

    /// The first stage of a pipeline, `$collStats`: one document.
    func collStats(_ place: Namespace, _ wanted: BSONDocument) -> BSONDocument {
        guard let facts = sizes(place) else {
            return error(26, "NamespaceNotFound", "Collection [\(place)] not found.")
        }
        var fields: [(String, BSONValue)] = [
            ("ns", .string(place.description)),
            ("host", .string("double:\(state.read { $0.port })")),
            ("localTime", .date(milliseconds: Self.now)),
        ]
        if wanted["storageStats"] != nil {
            fields.append(("storageStats", .document(BSONDocument(facts))))
        }
        if wanted["count"] != nil, let count = facts.first(where: { $0.0 == "count" }) {
            fields.append(count)
        }
        return batch([BSONDocument(fields)], place.description, id: 0)
    }

    /// Nil of a collection that there is not.
    private func sizes(_ place: Namespace) -> [(String, BSONValue)]? {
        let told = state.read {
            state -> (bytes: Int64, count: Int, stored: MongoDoubleState.Stored)? in
            if place == .oplog {
                let there = state.entries[state.first..<max(state.first, state.visible)]
                return (there.reduce(0) { $0 + Int64($1.bytes.count) }, there.count, .init())
            }
            guard let stored = state.collections[place] else { return nil }
            let bytes = stored.documents.reduce(0) { $0 + Int64($1.bytes.count) }
            return (bytes * state.sizeFactor, stored.documents.count, stored)
        }
        guard let told else { return nil }
        var fields: [(String, BSONValue)] = [
            ("size", number(told.bytes)), ("count", number(Int64(told.count))),
        ]
        if told.count > 0 {
            fields.append(("avgObjSize", number(told.bytes / Int64(told.count))))
        }
        let isCapped = place == .oplog || told.stored.options["capped"]?.isTrue == true
        fields += [("storageSize", number(told.bytes)), ("capped", .bool(isCapped))]
        if isCapped {
            let limit = state.read { $0.oplogLimit }.map { Int64($0) }
            let most = place == .oplog ? limit : told.stored.options["size"]?.integer
            fields += [
                ("max", number(told.stored.options["max"]?.integer ?? -1)),
                ("maxSize", number(most ?? 0)),
            ]
        }
        return fields + [
            ("nindexes", number(Int64(told.stored.indexes.count))), ("scaleFactor", .int32(1)),
        ]
    }

    /// `count`, also of a collection that there is not.
    func count(_ database: String, _ request: BSONDocument) -> BSONDocument {
        let place = Namespace(database, request["count"]?.string ?? "")
        if place == .oplog {
            return ok([("n", number(Int64(state.read { max(0, $0.visible - $0.first) })))])
        }
        var question = request
        if let query = request["query"] { question = question.setting("filter", query) }
        let documents = state.read { $0.collections[place]?.documents ?? [] }
        let found = MongoDoubleQuestion(question, ignoresBounds: true).answer(documents)
        return ok([("n", number(Int64(found.count)))])
    }

    /// `killCursors`.
    func killCursors(_ database: String, _ request: BSONDocument) -> BSONDocument {
        let place = Namespace(database, request["killCursors"]?.string ?? "")
        var killed: [BSONValue] = []
        var unknown: [BSONValue] = []
        state.update { state in
            for cursor in request["cursors"]?.elements ?? [] {
                let id = cursor.integer ?? 0
                let isThere = state.cursors[id] != nil && state.places[id] == place
                if isThere { state.cursors[id] = nil }
                isThere ? killed.append(cursor) : unknown.append(cursor)
            }
        }
        return ok([
            ("cursorsKilled", .array(killed)), ("cursorsNotFound", .array(unknown)),
            ("cursorsAlive", .array([])), ("cursorsUnknown", .array([])),
        ])
    }

    /// `getParameter` by names.
    func parameters(_ request: BSONDocument) -> BSONDocument {
        let version = state.read { $0.version }.split(separator: ".")
        let compatibility = version.prefix(2).joined(separator: ".")
        var known: [(String, BSONValue)] = [
            (
                "featureCompatibilityVersion",
                .document(BSONDocument([("version", .string(compatibility))]))
            ),
            ("writePeriodicNoops", .bool(true)),
        ]
        if version.first.flatMap({ Int($0) }) ?? 0 >= 5 {
            known.append(("minSnapshotHistoryWindowInSeconds", .int32(300)))
        }
        let found = known.filter { request[$0.0] != nil }
        guard !found.isEmpty else {
            return error(72, "InvalidOptions", "no option found to get")
        }
        return ok(found)
    }

    /// `serverStatus`, of which hosted tools read no more.
    func serverStatus() -> BSONDocument {
        let greeting = hello("isMaster")
        let state = state.read { $0 }
        let set = ["setName", "setVersion", "ismaster", "secondary", "primary", "me", "hosts"]
        let replication = set.compactMap { name in greeting[name].map { (name, $0) } }
        var fields: [(String, BSONValue)] = [
            ("host", .string("double:\(state.port)")), ("version", .string(state.version)),
            ("process", .string(state.isRouter ? "mongos" : "mongod")),
            ("localTime", greeting["localTime"] ?? .null),
            (
                "connections",
                .document(BSONDocument([("current", number(Int64(state.sockets.count)))]))
            ),
        ]
        if state.setName != nil {
            fields.append(("repl", .document(BSONDocument(replication))))
        }
        if !state.isRouter {
            let engine = BSONDocument([
                ("name", .string("wiredTiger")), ("supportsCommittedReads", .bool(true)),
            ])
            fields.append(("storageEngine", .document(engine)))
        }
        return ok(fields)
    }

    /// `usersInfo`: of this database, of one name, or of all.
    func users(_ request: BSONDocument) -> BSONDocument {
        let asked = request["usersInfo"]
        let name = asked?.string ?? asked?.document?["user"]?.string
        let database = asked?.document?["db"]?.string ?? request["$db"]?.string ?? "admin"
        let isOfAll = asked?.document?["forAllDBs"]?.isTrue == true
        let found = state.read { $0.contact.users }.filter { user in
            isOfAll || (user.database == database && (name == nil || user.name == name))
        }
        let documents = found.map { user -> BSONValue in
            let roles = user.roles.map { role -> BSONValue in
                .document(BSONDocument([("role", .string(role)), ("db", .string("admin"))]))
            }
            return .document(
                BSONDocument([
                    ("_id", .string("\(user.database).\(user.name)")), ("user", .string(user.name)),
                    ("db", .string(user.database)), ("roles", .array(roles)),
                    ("mechanisms", .array([.string("SCRAM-SHA-256")])),
                ]))
        }
        return ok([("users", .array(documents))])
    }
}

extension Namespace {
    static let oplog = Namespace("local", "oplog.rs")
    /// Where a cursor on the changes of the whole deployment lives.
    static let allChanges = Namespace("admin", "$cmd.aggregate")
}
