import Model
import Mongo
import Platform

/// What the double answers to each command.
struct MongoDoubleAnswers {
    let state: Monitor<MongoDoubleState>

    init(_ state: Monitor<MongoDoubleState>) { self.state = state }

    func answer(_ request: BSONDocument) -> BSONDocument {
        let name = request.firstName ?? ""
        let database = request["$db"]?.string ?? "admin"
        switch name {
        case "isMaster", "ismaster", "hello": return hello(name)
        case "ping": return ok([])
        case "endSessions":
            state.update { $0.contact.end(request) }
            return ok([])
        case "killCursors": return killCursors(database, request)
        case "buildInfo": return ok([("version", .string(state.read { $0.version }))])
        case "replSetGetConfig": return ok([("config", .document(configuration()))])
        case "replSetGetStatus": return status()
        case "getParameter": return parameters(request)
        case "listDatabases": return databases()
        case "listCollections": return collections(database, request)
        case "listIndexes": return indexes(database, request["listIndexes"]?.string ?? "")
        case "find": return find(database, request)
        case "getMore": return getMore(request)
        case "aggregate": return aggregate(database, request)
        case "collStats":
            return statistics(Namespace(database, request["collStats"]?.string ?? ""))
        case "count": return count(database, request)
        case "serverStatus": return serverStatus()
        case "usersInfo": return users(request)
        case "appendOplogNote": return note(request)
        case "insert", "update", "delete": return write(database, request)
        case "create", "drop", "dropDatabase", "createIndexes", "dropIndexes", "collMod",
            "renameCollection":
            return define(database, request)
        case "applyOps": return applyOps(request)
        default: return error(59, "CommandNotFound", "no such command: '\(name)'")
        }
    }

    func ok(_ fields: [(String, BSONValue)]) -> BSONDocument {
        BSONDocument(fields + [("ok", .double(1))])
    }

    func error(
        _ code: Int32, _ name: String, _ message: String, labels: [String] = []
    ) -> BSONDocument {
        let told: [(String, BSONValue)] =
            labels.isEmpty ? [] : [("errorLabels", .array(labels.map { .string($0) }))]
        return BSONDocument(
            told + [
                ("ok", .double(0)), ("errmsg", .string(message)), ("code", .int32(code)),
                ("codeName", .string(name)),
            ])
    }

    static var now: Int64 { SystemTimeSource().wall().microseconds / 1000 }

    // MARK: the set

    func configuration() -> BSONDocument {
        let state = state.read { $0 }
        let settings = BSONDocument([("replicaSetId", .objectID(state.replicaSetID))])
        let members = (0...state.others.count).map { number -> BSONValue in
            .document(BSONDocument([("_id", .int32(Int32(number))), ("votes", .double(1))]))
        }
        return BSONDocument([
            ("_id", .string(state.setName ?? "")), ("version", .int32(state.configVersion)),
            ("members", .array(members)),
            ("settings", .document(settings)),
        ])
    }

    /// The others answered just now, unless the state says when.
    private func status() -> BSONDocument {
        let state = state.read { $0 }
        let answered = state.answered ?? state.clock ?? Self.now
        let members = (0...state.others.count).map { number -> BSONValue in
            var fields: [(String, BSONValue)] = [
                ("_id", .int32(Int32(number))), ("health", .double(1)),
            ]
            let beat = ("lastHeartbeat", BSONValue.date(milliseconds: answered))
            fields += [
                ("configVersion", .int32(state.configVersion)),
                number == 0 ? ("self", .bool(true)) : beat,
            ]
            return .document(BSONDocument(fields))
        }
        return ok([("term", .int64(state.term)), ("members", .array(members))])
    }

    private func note(_ request: BSONDocument) -> BSONDocument {
        let ts = state.update { state -> OpTime in
            state.notes.append(request)
            let newest = state.entries.last?.ts ?? OpTime(seconds: 1_795_343_400, increment: 0)
            let ts = OpTime(seconds: newest.seconds, increment: newest.increment + 1)
            let entry = BSONDocument([
                ("op", .string("n")), ("ns", .string("")), ("o", request["data"] ?? .null),
                ("ts", .timestamp(ts)), ("t", .int64(1)),
                ("wall", .date(milliseconds: Int64(ts.seconds) * 1000)), ("v", .int64(2)),
            ])
            state.entries.removeLast(state.entries.count - state.visible)
            state.add(entry.bytes)
            state.visible = state.entries.count
            return ts
        }
        return ok([("operationTime", .timestamp(ts))])
    }

    // MARK: the base

    private func databases() -> BSONDocument {
        let names = Set(state.read { $0.collections.keys.map(\.database) } + ["admin", "local"])
        return ok([
            (
                "databases",
                .array(names.sorted().map { .document(BSONDocument([("name", .string($0))])) })
            ),
            ("operationTime", .timestamp(state.read { $0.newest })),
        ])
    }

    private func collections(_ database: String, _ request: BSONDocument) -> BSONDocument {
        let name = request["filter"]?.document?["name"]?.string
        let found = state.read { state in
            state.collections.filter { $0.key.database == database }
                .filter { name == nil || $0.key == Namespace(database, name ?? "") }
                .sorted { $0.key < $1.key }
        }
        let documents = found.map { namespace, stored in
            var info: [(String, BSONValue)] = []
            if let uuid = stored.uuid { info.append(("uuid", .uuid(uuid))) }
            var fields: [(String, BSONValue)] = [
                ("name", .string(namespace.collection)), ("type", .string(stored.type)),
                ("options", .document(stored.options)), ("info", .document(BSONDocument(info))),
            ]
            if let index = stored.indexes.first(where: { $0["name"]?.string == "_id_" }) {
                fields.append(("idIndex", .document(index)))
            }
            return BSONDocument(fields)
        }
        return batch(documents, "\(database).$cmd.listCollections", id: 0)
    }

    private func indexes(_ database: String, _ name: String) -> BSONDocument {
        let place = Namespace(database, name)
        let (stored, buckets) = state.read {
            ($0.collections[place], $0.collections[MongoDoubleSeries.buckets(of: place)])
        }
        guard let stored else {
            return error(26, "NamespaceNotFound", "ns does not exist: \(place)")
        }
        var indexes = stored.indexes
        switch stored.type {
        case "view":
            return error(
                166, "CommandNotSupportedOnView", "Namespace \(place) is a view, not a collection")
        case "timeseries":
            // Told of the series' own fields, though they are the buckets'.
            let series = MongoDoubleSeries(stored.options)
            indexes = (buckets?.indexes ?? []).compactMap { series?.index(ofBuckets: $0) }
        default: break
        }
        return batch(indexes, place.description, id: 0)
    }

    func batch(
        _ documents: [BSONDocument], _ namespace: String, id: Int64, isFirst: Bool = true,
        moment: BSONValue? = nil
    ) -> BSONDocument {
        var cursor = BSONDocument([
            (isFirst ? "firstBatch" : "nextBatch", .array(documents.map { .document($0) })),
            ("id", .int64(id)), ("ns", .string(namespace)),
        ])
        if let moment { cursor = cursor.setting("atClusterTime", moment) }
        return ok([("cursor", .document(cursor))])
    }

    // MARK: cursors

    private func find(_ database: String, _ request: BSONDocument) -> BSONDocument {
        let name = request["find"]?.string ?? ""
        if database == "local", name == "oplog.rs" { return findOplog(request) }
        if database == "local", name == "system.replset" {
            return batch([configuration()], "local.system.replset", id: 0)
        }
        let moment = request["readConcern"]?.document?["atClusterTime"]
        let place = Namespace(database, name)
        let (stored, most, ignoresBounds) = state.read { state in
            (
                moment == nil ? state.collections[place] : state.frozen.flatMap { $0[place] },
                state.batchDocuments, state.ignoresBounds
            )
        }
        if let filter = request["filter"]?.document, MongoDoubleFilter(filter) == nil {
            // Better than documents that were not asked for.
            return error(2, "BadValue", "the double cannot look for \(filter.text())")
        }
        let question = MongoDoubleQuestion(request, ignoresBounds: ignoresBounds)
        let documents = question.answer(stored?.documents ?? [])
        let size = min(most, Int(request["batchSize"]?.integer ?? 101))
        let rest = Array(documents.dropFirst(size))
        let id = rest.isEmpty ? 0 : state.update { $0.newCursor(.documents(rest), at: place) }
        return batch(
            Array(documents.prefix(size)), place.description, id: id, moment: moment)
    }

    private func findOplog(_ request: BSONDocument) -> BSONDocument {
        let place = "local.oplog.rs"
        if let order = request["sort"]?.document?["$natural"]?.integer {
            let limit = Int(request["limit"]?.integer ?? 1)
            let shown = state.read { state in
                let all = state.entries[state.first..<max(state.first, state.visible)]
                return order > 0 ? Array(all.prefix(limit)) : Array(all.suffix(limit).reversed())
            }
            return batch(shown.compactMap { try? BSONDocument($0.bytes) }, place, id: 0)
        }
        let from = request["filter"]?.document?["ts"]?.document?["$gte"]?.timestamp ?? .zero
        let size = Int(request["batchSize"]?.integer ?? 101)
        let onMajority = request["readConcern"]?.document?["level"]?.string == "majority"
        let (found, id) = state.update { state -> ([BSONDocument], Int64) in
            let shown = state.shown(onMajority: onMajority)
            let start =
                state.entries[..<shown].firstIndex { $0.ts >= from }
                .map { max($0, state.first) } ?? shown
            let end = min(shown, start + size)
            let found = start < end ? Array(state.entries[start..<end]) : []
            // A tailable cursor whose question finds nothing is dead.
            let id =
                request["tailable"] == nil || found.isEmpty
                ? 0
                : state.newCursor(.oplog(max(start, end), onMajority: onMajority), at: .oplog)
            return (found.compactMap { try? BSONDocument($0.bytes) }, id)
        }
        return batch(found, place, id: id)
    }

    private func getMore(_ request: BSONDocument) -> BSONDocument {
        let id = request["getMore"]?.integer ?? 0
        let cursor = state.update { state -> MongoDoubleState.Cursor? in
            state.lost.contains(id) ? nil : state.cursors[id]
        }
        let asked = Namespace(request["$db"]?.string ?? "", request["collection"]?.string ?? "")
        if cursor != nil, let place = state.read({ $0.places[id] }), place != asked {
            return error(
                13, "Unauthorized",
                "Requested getMore on namespace '\(asked)', but cursor belongs to a different "
                    + "namespace \(place)")
        }
        switch cursor {
        case nil:
            if state.update({ $0.lost.remove(id) }) != nil {
                return error(
                    136, "CappedPositionLost",
                    "CollectionScan died due to position in capped collection being deleted")
            }
            return error(43, "CursorNotFound", "cursor id \(id) not found")
        case .oplog(let next, let onMajority):
            return moreOplog(id, next, onMajority: onMajority, request)
        case .changes(let next): return moreChanges(id, next, request)
        case .astray(let next): return moreAstray(id, next, request)
        case .documents(let rest):
            let size = min(
                state.read { $0.batchDocuments }, Int(request["batchSize"]?.integer ?? 1_000_000))
            let left = Array(rest.dropFirst(size))
            state.update { $0.cursors[id] = left.isEmpty ? nil : .documents(left) }
            return batch(
                Array(rest.prefix(size)), asked.description, id: left.isEmpty ? 0 : id,
                isFirst: false)
        }
    }

    private func moreOplog(
        _ id: Int64, _ next: Int, onMajority: Bool, _ request: BSONDocument
    ) -> BSONDocument {
        let seconds = Double(request["maxTimeMS"]?.integer ?? 1000) / 1000
        _ = state.wait(seconds: seconds) { state in
            state.shown(onMajority: onMajority) > next || state.cursors[id] == nil
                ? true : nil as Bool?
        }
        let found = state.update { state -> [BSONDocument]? in
            guard state.cursors[id] != nil else { return nil }
            var bytes = 0
            let next = next - (state.goesBack ?? 0)
            state.goesBack = nil
            var end = next
            while end < state.shown(onMajority: onMajority), bytes < state.batchBytes {
                bytes += state.entries[end].bytes.count
                end += 1
            }
            state.cursors[id] = .oplog(end, onMajority: onMajority)
            state.sent = end
            return next < end
                ? state.entries[next..<end].compactMap { try? BSONDocument($0.bytes) } : []
        }
        guard let found else { return error(43, "CursorNotFound", "cursor id \(id) not found") }
        return batch(found, "local.oplog.rs", id: id, isFirst: false)
    }
}
