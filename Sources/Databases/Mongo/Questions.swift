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
    /// initiated. From the command, or, without the right to that, from where it is stored; of a
    /// server that has none, the set's name.
    static func identity(
        _ connection: Connection, _ hello: Hello, _ member: Connection.Member
    ) throws(TidemarkError) -> String {
        let asked = try connection.answer(
            BSONDocument([("replSetGetConfig", .int32(1))]), at: member)
        var configuration: BSONDocument?
        if case .success(let reply) = asked { configuration = reply["config"]?.document }
        if configuration == nil {
            let stored = try connection.answer(
                BSONDocument([
                    ("find", .string("system.replset")), ("limit", .int32(1)),
                    ("singleBatch", .bool(true)),
                ]), on: "local", at: member)
            if case .success(let reply) = stored { configuration = first(reply) }
        }
        let id = configuration?["settings"]?.document?["replicaSetId"]
        return id?.objectIDText ?? hello.setName ?? ""
    }

    /// The first document of a cursor's first batch.
    static func first(_ reply: BSONDocument) -> BSONDocument? {
        reply["cursor"]?.document?["firstBatch"]?.elements?.first?.document
    }

    /// The oldest entry that the oplog still has; nil when it has none.
    static func oldest(
        _ connection: Connection, _ member: Connection.Member
    ) throws(TidemarkError) -> BSONDocument? {
        first(
            try connection.run(
                BSONDocument([
                    ("find", .string("oplog.rs")),
                    ("sort", .document(BSONDocument([("$natural", .int32(1))]))),
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
