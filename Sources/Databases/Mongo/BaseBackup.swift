import Model
import Platform

/// All documents, indexes and options of a set, read while it works.
///
/// ```
/// newest majority entry → moment; oldest open transaction, else the moment → start
/// metadata of all collections
/// collection after collection: documents
/// newest entry → end: consistent once everything up to here is replayed
/// ```
///
/// Exact from 5.0 on: every document is read as of the moment (`atClusterTime`), and when the
/// metadata was the same before the moment, behind it and at the end, the moment is the end. Else
/// fuzzy, as mongodump's is: documents are of different moments between start and end, and the
/// replay of all that was written meanwhile makes them of one.
final class BaseBackup: BaseBackupSource {
    private let configuration: MongoConfiguration
    private let state: RoomState
    private let time: any TimeSource
    private var connection: Connection?
    private var member = Connection.Member.anyMember
    private var start = OpTime.zero
    private var listed = BaseListing()
    private var waiting: ArraySlice<BaseListing.Item> = []
    private var reading: CollectionCursor?
    /// All documents are read as of this entry; nil once some could not be.
    private var moment: OpTime?
    private var wireVersion: Int64 = 0
    private var warnings: [String] = []

    init(_ configuration: MongoConfiguration, state: RoomState, time: any TimeSource) {
        self.configuration = configuration
        self.state = state
        self.time = time
    }

    func close() {
        reading = nil
        connection = nil
    }

    // MARK: beginning

    func begin(label: String, fast: Bool) throws(TidemarkError) -> BaseBackupStart {
        close()
        let connection = try Connection(configuration)
        member = .server(try connection.select(.anyMember))
        warnings = []
        let before = try BaseListing(connection, member)
        let hello = try Questions.hello(connection, member)
        try Membership.check(hello, configuration)
        let majority = try Questions.newestCommitted(connection, hello, member, configuration)
        let identity = try Questions.identity(connection, hello, member)
        let version = try Questions.version(connection)
        var timeline = state.read { $0.received?.timeline }
        if timeline == nil {
            timeline = try StreamChoice.timeline(configuration, connection, member, hello, identity)
        }
        // Change streams tell a transaction whole, when it commits.
        start = majority
        if timeline.map({ ChangeTimeline.isOne($0) }) != true {
            start = try oldestTransaction(connection).map { min($0, majority) } ?? majority
        }
        listed = try BaseListing(connection, member)
        waiting = listed.items[...]
        moment = SnapshotRead.isPossible(hello) && listed == before ? majority : nil
        wireVersion = hello.maxWireVersion
        self.connection = connection
        let descriptor = SourceDescriptor(
            source: configuration.source, kind: .mongodb, identity: identity,
            majorVersion: version.split(separator: ".").prefix(2).joined(separator: "."),
            segmentBytes: MongoRoom.segmentBytes, created: time.wall())
        return BaseBackupStart(
            descriptor: descriptor,
            timeline: timeline ?? TimelineID(identity),
            start: start.ordinal, server: ServerFacts(identity: identity, version: version),
            configuration: [], estimatedBytes: 0)
    }

    /// Where the oldest transaction began that is not decided: its first entries are needed too.
    private func oldestTransaction(_ connection: Connection) throws(TidemarkError) -> OpTime? {
        let states = BSONDocument([
            ("$in", .array([.string("prepared"), .string("inProgress")]))
        ])
        let reply = try connection.answer(
            BSONDocument([
                ("find", .string("transactions")),
                ("filter", .document(BSONDocument([("state", .document(states))]))),
                ("batchSize", .int32(10_000)), ("singleBatch", .bool(true)),
            ]), on: "config", at: member)
        switch reply {
        case .success(let reply):
            let open = reply["cursor"]?.document?["firstBatch"]?.elements ?? []
            return open.compactMap { $0.document?["startOpTime"]?.document?["ts"]?.timestamp }.min()
        case .failure(let failure) where failure.isMissingRight:
            warnings.append(
                "transactions that were open when the base backup began could not be seen: "
                    + ConnectionFailure.grant(configuration))
            return nil
        case .failure(let failure):
            throw failure.error(configuration, command: "find on config.transactions")
        }
    }

    // MARK: content

    func pull(into sink: any BaseBackupSink) throws(TidemarkError) -> BaseBackupEnd? {
        guard let connection else {
            throw TidemarkError(
                .sourceUnreachable, "the base backup of \(configuration.source) is closed")
        }
        do throws(TidemarkError) {
            if reading != nil {
                try readOn(sink)
                return nil
            }
            guard let next = waiting.first else { return try end(connection) }
            waiting.removeFirst()
            try begin(next, connection, sink)
            return nil
        } catch {
            close()
            throw error
        }
    }

    private func begin(
        _ item: BaseListing.Item, _ connection: Connection, _ sink: any BaseBackupSink
    ) throws(TidemarkError) {
        let next = item.collection
        let metadata = ExtendedJSON.text(item.metadata)
        try sink.begin(
            BaseBackupFile(
                name: next.fileName + ".metadata.json", role: .configuration,
                origin: next.namespace.description, location: nil))
        try unsafe sink.append(Array(metadata.utf8).span.bytes)
        guard next.hasDocuments else { return }
        try sink.begin(
            BaseBackupFile(
                name: next.fileName + ".bson", role: .data, origin: next.namespace.description,
                location: nil))
        if let moment, SnapshotRead.isPossible(next, wireVersion) {
            reading = try CollectionCursor.open(
                connection, member, next.namespace, at: moment)
        }
        if reading == nil {
            moment = nil
            reading = try CollectionCursor.open(connection, member, next.namespace)
        }
    }

    private func readOn(_ sink: any BaseBackupSink) throws(TidemarkError) {
        guard var cursor = reading else { return }
        switch try cursor.next(sink) {
        case .more: reading = cursor
        case .end: reading = nil
        case .snapshotLost:
            // What was read is as old as the start: reading all again adds what is newer.
            moment = nil
            warnings.append(
                "\(cursor.namespace) took longer to read than the server keeps its history, so "
                    + "the base backup is not of one moment; raise it by "
                    + "db.adminCommand({setParameter: 1, minSnapshotHistoryWindowInSeconds: 3600})")
            reading = try CollectionCursor.open(cursor.connection, member, cursor.namespace)
        }
    }

    private func end(_ connection: Connection) throws(TidemarkError) -> BaseBackupEnd {
        let hello = try Questions.hello(connection, member)
        let newest = try Questions.newestEntry(connection, hello, member, configuration)
        guard newest >= start else {
            throw TidemarkError(
                .sourceUnreachable,
                "MongoDB at \(configuration.place) went back during the base backup",
                remedy: "take the base backup again: tidemark backup \(configuration.source)")
        }
        if let moment, try BaseListing(connection, member) == listed {
            close()
            return BaseBackupEnd(position: moment.ordinal, warnings: warnings)
        }
        close()
        return BaseBackupEnd(position: newest.ordinal, warnings: warnings)
    }
}
