import Model
import Platform

/// All documents, indexes and options of a set, read while it works.
///
/// ```
/// sizes of all collections → where large ones are cut
/// newest majority entry → moment; oldest open transaction, else the moment → start
/// metadata of all collections
/// collections and stretches of large ones, several at a time: documents
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
    /// The files to come, and of how many parts the documents of each are made.
    private var waiting: ArraySlice<(item: BaseListing.Item, parts: Int)> = []
    /// Parts of the present file that are still to come.
    private var left = 0
    private var reader: ParallelReader?
    private var warnings: [String] = []

    init(_ configuration: MongoConfiguration, state: RoomState, time: any TimeSource) {
        self.configuration = configuration
        self.state = state
        self.time = time
    }

    func close() {
        reader?.stop()
        reader = nil
        connection = nil
    }

    // MARK: beginning

    func begin(label: String, fast: Bool) throws(TidemarkError) -> BaseBackupStart {
        close()
        let connection = try Connection(configuration)
        let server = try connection.select(.anyMember)
        member = .server(server)
        warnings = []
        let before = try BaseListing(connection, member)
        let plan = try ReadPlanner(connection, member, before)
        let hello = try Questions.hello(connection, member)
        try Membership.check(hello, configuration)
        let majority = try Questions.newestCommitted(connection, hello, member, configuration)
        let identity = try Questions.identity(connection, hello, member)
        let version = try Questions.version(connection)
        var timeline = state.read { $0.received?.timeline }
        if timeline == nil {
            timeline = try StreamChoice.timeline(
                configuration, connection, member, hello, identity,
                archived: state.read { $0.archived })
        }
        // Change streams tell a transaction whole, when it commits.
        start = majority
        if timeline.map({ ChangeTimeline.isOne($0) }) != true {
            start = try oldestTransaction(connection).map { min($0, majority) } ?? majority
        }
        listed = try BaseListing(connection, member)
        let isExact = SnapshotRead.isPossible(hello) && listed == before
        startReading(
            plan, moment: isExact ? majority : nil, hello, address: connection.address(server))
        self.connection = connection
        let descriptor = SourceDescriptor(
            source: configuration.source, kind: .mongodb, identity: identity,
            majorVersion: version.split(separator: ".").prefix(2).joined(separator: "."),
            segmentBytes: MongoRoom.segmentBytes, created: time.wall())
        return BaseBackupStart(
            descriptor: descriptor,
            timeline: timeline ?? TimelineID(identity),
            start: start.ordinal, server: ServerFacts(identity: identity, version: version),
            configuration: [], estimatedBytes: plan.bytes)
    }

    private func startReading(
        _ plan: ReadPlanner, moment: OpTime?, _ hello: Hello, address: String
    ) {
        var parts: [ReadPart] = []
        var files: [(item: BaseListing.Item, parts: Int)] = []
        for item in listed.items {
            let collection = item.collection
            let orders = collection.hasDocuments ? plan.orders(collection) : []
            files.append((item, orders.count))
            let canBeExact = SnapshotRead.isPossible(collection, hello.maxWireVersion)
            parts += orders.map {
                ReadPart(collection: collection, order: $0, canBeExact: canBeExact)
            }
        }
        waiting = files[...]
        left = 0
        reader = ParallelReader(configuration, address: address, parts: parts, moment: moment)
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
        guard let connection, let reader else {
            throw TidemarkError(
                .sourceUnreachable, "the base backup of \(configuration.source) is closed")
        }
        do throws(TidemarkError) {
            if left > 0 {
                switch try reader.next() {
                case .documents(let bytes): try unsafe sink.append(bytes.span.bytes)
                case .end: left -= 1
                }
                return nil
            }
            guard let next = waiting.popFirst() else { return try end(connection, reader) }
            try begin(next.item, sink)
            left = next.parts
            return nil
        } catch {
            close()
            throw error
        }
    }

    private func begin(
        _ item: BaseListing.Item, _ sink: any BaseBackupSink
    ) throws(TidemarkError) {
        let next = item.collection
        let metadata = ExtendedJSON.text(item.metadata)
        try sink.begin(
            BaseBackupFile(
                name: item.shown.fileName + ".metadata.json", role: .configuration,
                origin: item.shown.namespace.description, location: nil))
        try unsafe sink.append(Array(metadata.utf8).span.bytes)
        guard next.hasDocuments else { return }
        try sink.begin(
            BaseBackupFile(
                name: next.fileName + ".bson", role: .data, origin: next.namespace.description,
                location: nil))
    }

    private func end(
        _ connection: Connection, _ reader: ParallelReader
    ) throws(TidemarkError) -> BaseBackupEnd {
        let hello = try Questions.hello(connection, member)
        let newest = try Questions.newestEntry(connection, hello, member, configuration)
        guard newest >= start else {
            throw TidemarkError(
                .sourceUnreachable,
                "MongoDB at \(configuration.place) went back during the base backup",
                remedy: "take the base backup again: tidemark backup \(configuration.source)")
        }
        let shared = reader.shared
        var position = newest
        if let moment = shared.moment, try BaseListing(connection, member) == listed {
            position = moment
        }
        close()
        return BaseBackupEnd(
            position: position.ordinal, warnings: warnings + shared.warnings)
    }
}
