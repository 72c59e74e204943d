import Model

/// Whether a source's oplog is read, or its change streams.
enum StreamChoice: Hashable, Sendable {
    case oplog, changes

    /// What the URL says; where it says nothing, what the archive has; else the oplog, unless it is
    /// out of reach: of a router there is none, and a user of a hosted service may not read it.
    static func of(
        _ configuration: MongoConfiguration, _ connection: Connection,
        _ member: Connection.Member, _ hello: Hello, archived: TimelineID?
    ) throws(TidemarkError) -> StreamChoice {
        switch configuration.mode {
        case .oplog: return .oplog
        case .changeStream: return .changes
        case .automatic: break
        }
        if hello.isRouter { return .changes }
        if let archived { return ChangeTimeline.isOne(archived) ? .changes : .oplog }
        let oplog = BSONDocument([
            ("find", .string("oplog.rs")), ("limit", .int32(1)), ("singleBatch", .bool(true)),
        ])
        guard case .failure(let failure) = try connection.answer(oplog, on: "local", at: member),
            failure.isMissingRight
        else { return .oplog }
        // Without this right either there is one thing to say, and it is about the oplog.
        let changes = try ChangeStreamCursor.open(
            connection, member, .behind(hello.majority ?? .zero),
            ChangeFeatures(version: try Questions.version(connection)))
        guard case .success(let cursor) = changes else { return .oplog }
        cursor.close()
        return .changes
    }

    /// The timeline of what is read: the archive's, since only it knows of one that went back and
    /// took another way; else the first.
    static func timeline(
        _ configuration: MongoConfiguration, _ connection: Connection,
        _ member: Connection.Member, _ hello: Hello, _ identity: String, archived: TimelineID?
    ) throws(TidemarkError) -> TimelineID {
        let known = archived.flatMap { timeline in
            timeline.name == identity || timeline.name.hasPrefix(identity + ".") ? timeline : nil
        }
        let choice = try of(configuration, connection, member, hello, archived: known)
        if let known, ChangeTimeline.isOne(known) == (choice == .changes) { return known }
        return choice == .changes ? ChangeTimeline.first(identity) : TimelineID(identity)
    }
}
