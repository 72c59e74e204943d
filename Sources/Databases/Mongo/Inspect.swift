import Model
import Platform

/// The side connection of one source: proofs, findings, marks, the window of its oplog.
///
/// Owned by one thread at a time; connects when first asked and again after a failure.
final class Inspect: SourceInspector {
    let configuration: MongoConfiguration
    private let state: RoomState
    private let time: any TimeSource
    private var connection: Connection?
    /// Bytes of entries that had come when the window was asked for last.
    private var counted: (at: MonotonicTime, bytes: UInt64)?
    private var hold = PrimaryHold()
    private var voters = KnownVoters()

    init(_ configuration: MongoConfiguration, state: RoomState, time: any TimeSource) {
        self.configuration = configuration
        self.state = state
        self.time = time
    }

    func close() { connection = nil }

    /// Runs `body` on the open connection; after an error the next call makes a new one.
    func asking<R>(
        _ body: (Connection) throws(TidemarkError) -> R
    ) throws(TidemarkError) -> R {
        do throws(TidemarkError) {
            if let connection { return try body(connection) }
            let made = try Connection(configuration)
            connection = made
            return try body(made)
        } catch {
            connection = nil
            throw error
        }
    }

    // MARK: proofs

    /// The primary's clock, then its newest entry: everything committed at that time lies at or
    /// before it. Without a write the entry does not move, so an idle set is proved every second.
    func probe() throws(TidemarkError) -> Probe {
        let asked = time.monotonic()
        let wall = time.wall()
        return try asking { (connection) throws(TidemarkError) in
            let member = Connection.Member.server(try connection.select(.primary))
            let clock = try Questions.hello(connection, member)
            let bound = try Questions.hello(connection, member)
            guard bound.isPrimary || bound.isRouter else {
                throw TidemarkError(
                    .sourceUnreachable,
                    "MongoDB at \(configuration.place) is not the primary, and only the primary "
                        + "knows what is committed",
                    remedy: "give the set in the source's url: "
                        + "mongodb://host1,host2/?replicaSet=\(bound.setName ?? "rs0")")
            }
            var newest = try Questions.newestEntry(connection, bound, member, configuration)
            let timeline = try self.timeline(connection, bound, member)
            // The proof is as if it had been asked for when a majority still followed the primary.
            let age = try age(connection, clock, bound, member, &newest)
            if bound.isPrimary, let majority = bound.majority {
                state.update { $0.committed = majority }
            }
            return Probe(
                timeline: timeline, bound: newest.ordinal,
                sourceTime: clock.time?.advanced(bySeconds: -age),
                asked: asked.advanced(bySeconds: -age), askedWall: wall.advanced(bySeconds: -age),
                answered: time.monotonic().advanced(bySeconds: -age), isWaitedFor: false)
        }
    }

    /// Seconds before `clock` that the primary has surely been the only one until.
    ///
    /// - Parameter newest: what has to be archived for that; moved on where that is more.
    private func age(
        _ connection: Connection, _ clock: Hello, _ bound: Hello, _ member: Connection.Member,
        _ newest: inout OpTime
    ) throws(TidemarkError) -> Double {
        if bound.isRouter {
            let reached = state.read { $0.received.map { OpTime(ordinal: $0.ordinal) } }
            // What has come has yet to be archived.
            newest = max(newest, reached ?? .zero)
            return RouterHold.age(reached, now: clock.time ?? time.wall())
        }
        guard bound.hasRivals, let now = clock.time else { return 0 }
        let set = try Questions.heartbeats(connection, member, &voters)
        guard let held = hold.held(bound, set?.heartbeats, voters: set?.voters ?? 0) else {
            throw TidemarkError(
                .sourceUnreachable,
                "the primary of MongoDB at \(configuration.place) has not heard yet from a "
                    + "majority of its set",
                remedy: "wait until the election is through; if it lasts, look at rs.status()")
        }
        return max(0, now.seconds(since: held))
    }

    /// The open stream's, or that of the set when none has been open yet.
    private func timeline(
        _ connection: Connection, _ hello: Hello, _ member: Connection.Member
    ) throws(TidemarkError) -> TimelineID {
        if let known = state.read({ $0.received?.timeline }) { return known }
        let identity = try Questions.identity(connection, hello, member)
        return try StreamChoice.timeline(
            configuration, connection, member, hello, identity,
            archived: state.read { $0.archived })
    }

    // MARK: marks and windows

    func mark(_ name: String) throws(TidemarkError) -> RestorePoint {
        try asking { (connection) throws(TidemarkError) in
            let majority = BSONDocument([
                ("w", .string("majority")), ("wtimeout", .int32(30_000)),
            ])
            let member = Connection.Member.server(try connection.select(.primary))
            let hello = try Questions.hello(connection, member)
            let timeline = try self.timeline(connection, hello, member)
            if ChangeTimeline.isOne(timeline) {
                return try moment(name, timeline, connection, member)
            }
            let reply = try connection.run(
                BSONDocument([
                    ("appendOplogNote", .int32(1)),
                    ("data", .document(RestorePointNote.content(name))),
                    ("writeConcern", .document(majority)),
                ]), at: member)
            let written = try notePlace(connection, member, name)
            guard let place = written ?? reply["operationTime"]?.timestamp else {
                throw TidemarkError(
                    .sourceRefused,
                    "MongoDB at \(configuration.place) did not say where it wrote the mark",
                    remedy: "run the command again; the user needs to read local.oplog.rs")
            }
            return RestorePoint(
                name: name, timeline: timeline, position: place.ordinal,
                time: hello.time ?? time.wall(), end: place.ordinal)
        }
    }

    /// Notes are not told by change streams: the point is a moment that everything committed so far
    /// lies before.
    private func moment(
        _ name: String, _ timeline: TimelineID, _ connection: Connection,
        _ member: Connection.Member
    ) throws(TidemarkError) -> RestorePoint {
        let hello = try Questions.hello(connection, member)
        let place = try Questions.newestEntry(connection, hello, member, configuration)
        return RestorePoint(
            name: name, timeline: timeline, position: place.ordinal,
            time: hello.time ?? time.wall(), end: place.ordinal)
    }

    /// The note itself: the newest entry that carries this name.
    private func notePlace(
        _ connection: Connection, _ member: Connection.Member, _ name: String
    ) throws(TidemarkError) -> OpTime? {
        let answer = try connection.answer(
            BSONDocument([
                ("find", .string("oplog.rs")),
                ("sort", .document(BSONDocument([("$natural", .int32(-1))]))),
                ("limit", .int32(1000)), ("batchSize", .int32(1000)), ("singleBatch", .bool(true)),
            ]), on: "local", at: member)
        guard case .success(let reply) = answer else { return nil }
        let entries = reply["cursor"]?.document?["firstBatch"]?.elements ?? []
        for entry in entries.compactMap(\.document) where entry["op"]?.string == "n" {
            guard let note = entry["o"]?.document, RestorePointNote.name(in: note) == name else {
                continue
            }
            return entry["ts"]?.timestamp
        }
        return nil
    }

    /// How far the oplog reaches back, and so how long the archiver may be away; nil where it is
    /// out of reach.
    func sourceWindow() throws(TidemarkError) -> SourceWindow? {
        try asking { (connection) throws(TidemarkError) in
            let member = Connection.Member.server(try connection.select(.anyMember))
            let hello = try Questions.hello(connection, member)
            guard let newest = hello.newest,
                let oldest = try? Questions.oldest(connection, member)?["ts"]?.timestamp
            else { return nil }
            let values = state.read { $0 }
            var window = OplogWindow(
                oldest: oldest, newest: newest,
                position: values.received.map { OpTime(ordinal: $0.ordinal) } ?? newest)
            let asked = try connection.answer(
                BSONDocument([("collStats", .string("oplog.rs"))]), on: "local", at: member)
            if case .success(let reply) = asked {
                window.size = reply["size"]?.integer.flatMap { UInt64(exactly: $0) }
                window.limit = reply["maxSize"]?.integer.flatMap { UInt64(exactly: $0) }
            }
            window.rate = rate(values, window)
            return window.window
        }
    }

    /// Bytes a second since the last question; before that, of the oplog's whole time.
    private func rate(_ values: RoomState.Values, _ window: OplogWindow) -> Double? {
        let now = time.monotonic()
        defer { counted = (now, values.bytes) }
        if let counted, values.bytes >= counted.bytes, now.seconds(since: counted.at) >= 1 {
            let bytes = Double(values.bytes - counted.bytes)
            return bytes > 0 ? bytes / now.seconds(since: counted.at) : nil
        }
        let span = Double(max(window.newest, window.oldest).seconds - window.oldest.seconds)
        guard span > 0, let size = window.size, size > 0 else { return nil }
        return Double(size) / span
    }
}
