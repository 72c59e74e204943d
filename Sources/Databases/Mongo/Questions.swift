import Model

/// The questions that stream, inspector and base backup share.
enum Questions {
    /// The old name: servers before 4.4.2 do not know `hello`.
    static func hello(
        _ connection: Connection, _ member: Connection.Member
    ) throws(TidemarkError) -> Hello {
        Hello(try connection.run(BSONDocument([("isMaster", .int32(1))]), at: member))
    }

    static func version(_ connection: Connection) throws(TidemarkError) -> String {
        let reply = try connection.run(BSONDocument([("buildInfo", .int32(1))]))
        return reply["version"]?.string ?? ""
    }

    /// What a set is known by for life: `replicaSetId` of its configuration, made when it was
    /// initiated; of a server that has none, the set's name. A sharded cluster has `clusterId`.
    static func identity(
        _ connection: Connection, _ hello: Hello, _ member: Connection.Member
    ) throws(TidemarkError) -> String {
        if hello.isRouter { return try cluster(connection, member) }
        let id = try configuration(connection, member)?["settings"]?.document?["replicaSetId"]
        return id?.objectIDText ?? hello.setName ?? ""
    }

    /// Of the set: from the command, or, without the right to that, from where it is stored.
    private static func configuration(
        _ connection: Connection, _ member: Connection.Member
    ) throws(TidemarkError) -> BSONDocument? {
        let asked = try connection.answer(
            BSONDocument([("replSetGetConfig", .int32(1))]), at: member)
        if case .success(let reply) = asked, let found = reply["config"]?.document { return found }
        let stored = try connection.answer(
            BSONDocument([
                ("find", .string("system.replset")), ("limit", .int32(1)),
                ("singleBatch", .bool(true)),
            ]), on: "local", at: member)
        if case .success(let reply) = stored { return first(reply) }
        return nil
    }

    /// When the voting members of a primary's set last answered it, as far as they are up, and how
    /// many vote, the primary among them; nil where it may not be asked.
    ///
    /// - Parameter known: who votes, as it was found out last.
    static func heartbeats(
        _ connection: Connection, _ member: Connection.Member, _ known: inout KnownVoters
    ) throws(TidemarkError) -> (heartbeats: [PrimaryHold.Heartbeat], voters: Int)? {
        guard
            case .success(let reply) = try connection.answer(
                BSONDocument([("replSetGetStatus", .int32(1))]), at: member)
        else { return nil }
        let asked = KnownVoters.Reign(status: reply)
        if known.voters(asked) == nil {
            guard let found = try configuration(connection, member) else { return nil }
            known.take(found, in: asked)
        }
        let voters = known.voters
        let beats = (reply["members"]?.elements ?? []).compactMap(\.document).compactMap {
            (one) -> PrimaryHold.Heartbeat? in
            // Of one that is down it is the time of its last failure.
            guard one["self"]?.isTrue != true, one["health"]?.integer == 1,
                let id = one["_id"]?.integer, voters.contains(id),
                let answered = one["lastHeartbeat"]?.date
            else { return nil }
            return PrimaryHold.Heartbeat(member: id, answered: answered)
        }
        return (beats, voters.count)
    }

    private static func cluster(
        _ connection: Connection, _ member: Connection.Member
    ) throws(TidemarkError) -> String {
        let reply = try connection.run(
            BSONDocument([
                ("find", .string("version")), ("limit", .int32(1)), ("singleBatch", .bool(true)),
            ]), on: "config", at: member)
        guard let id = first(reply)?["clusterId"]?.objectIDText else {
            throw TidemarkError(
                .sourceRefused,
                "MongoDB at \(connection.configuration.place) does not say which cluster it is of",
                remedy: "see that config.version has a clusterId")
        }
        return id
    }

    /// A time that every write made before this question lies at or before: of a set its newest
    /// entry, of a cluster the newest of all shards, which all answer `listDatabases`.
    static func newestEntry(
        _ connection: Connection, _ hello: Hello, _ member: Connection.Member,
        _ configuration: MongoConfiguration
    ) throws(TidemarkError) -> OpTime {
        if let known = hello.newest { return known }
        let reply = try connection.run(
            BSONDocument([("listDatabases", .int32(1)), ("nameOnly", .bool(true))]), at: member)
        guard let time = reply["operationTime"]?.timestamp else {
            throw TidemarkError(
                .sourceUnreachable,
                "MongoDB at \(configuration.place) does not say what it wrote last",
                remedy: "try again once the set has a primary; servers from 3.6 on say it")
        }
        return time
    }

    /// The newest of what a majority has.
    static func newestCommitted(
        _ connection: Connection, _ hello: Hello, _ member: Connection.Member,
        _ configuration: MongoConfiguration
    ) throws(TidemarkError) -> OpTime {
        if let known = hello.majority { return known }
        return try newestEntry(connection, hello, member, configuration)
    }

    /// The first document of a cursor's first batch.
    static func first(_ reply: BSONDocument) -> BSONDocument? {
        reply["cursor"]?.document?["firstBatch"]?.elements?.first?.document
    }

    /// The oldest entry that the oplog still has; nil when it has none.
    static func oldest(
        _ connection: Connection, _ member: Connection.Member
    ) throws(TidemarkError) -> BSONDocument? { try edge(connection, member, order: 1) }

    /// The time of the newest entry that the oplog has; nil when it has none.
    static func newestInOplog(
        _ connection: Connection, _ member: Connection.Member
    ) throws(TidemarkError) -> OpTime? {
        try edge(connection, member, order: -1)?["ts"]?.timestamp
    }

    private static func edge(
        _ connection: Connection, _ member: Connection.Member, order: Int32
    ) throws(TidemarkError) -> BSONDocument? {
        first(
            try connection.run(
                BSONDocument([
                    ("find", .string("oplog.rs")),
                    ("sort", .document(BSONDocument([("$natural", .int32(order))]))),
                    ("limit", .int32(1)), ("singleBatch", .bool(true)),
                ]), on: "local", at: member))
    }
}

extension BSONValue {
    /// 24 hexadecimal digits of an ObjectId.
    var objectIDText: String? {
        guard type == .objectID else { return nil }
        return bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
