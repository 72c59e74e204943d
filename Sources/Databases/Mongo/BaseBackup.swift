import Model
import Platform

/// All documents, indexes and options of a set, read while it works.
///
/// ```
/// oldest open transaction, else newest majority entry → start
/// collection after collection: metadata, documents
/// newest entry → end: consistent once everything up to here is replayed
/// ```
///
/// Fuzzy, as mongodump's is: documents are of different moments between the two, and the replay
/// of all that was written meanwhile makes them of one.
final class BaseBackup: BaseBackupSource {
    private let configuration: MongoConfiguration
    private let state: RoomState
    private let time: any TimeSource
    private var connection: Connection?
    private var member = Connection.Member.anyMember
    private var start = OpTime.zero
    private var waiting: [DumpedCollection] = []
    private var reading: CollectionCursor?
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
        waiting = try DumpedCollection.all(connection, member)
        self.connection = connection
        let descriptor = SourceDescriptor(
            source: configuration.source, kind: .mongodb, identity: identity,
            majorVersion: version.split(separator: ".").prefix(2).joined(separator: "."),
            segmentBytes: MongoRoom.segmentBytes, created: time.wall())
        return BaseBackupStart(
            descriptor: descriptor,
            timeline: timeline ?? TimelineID(identity),
            start: start.ordinal, server: ServerFacts(identity: identity, version: version),
            configuration: [], estimatedBytes: waiting.reduce(0) { $0 + $1.estimatedBytes })
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
                if try !reading!.next(sink) { reading = nil }
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
        _ next: DumpedCollection, _ connection: Connection, _ sink: any BaseBackupSink
    ) throws(TidemarkError) {
        let metadata = ExtendedJSON.text(try next.metadata(connection, member))
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
        reading = try CollectionCursor.open(connection, member, next.namespace)
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
        close()
        return BaseBackupEnd(position: newest.ordinal, warnings: warnings)
    }
}
