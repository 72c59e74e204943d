import Model
import Platform

/// The oplog of one replica set, followed: performs what `StreamMachine` decides. Or the change
/// streams of a deployment, see `ChangeFeed`.
///
/// Owned by one thread; only `wake` may be called from others. libmongoc blocks while it waits for
/// an answer, so a question is held open for half a second at most.
final class Stream: ChangeSource {
    private let configuration: MongoConfiguration
    private let state: RoomState
    private let time: any TimeSource
    private let isWoken = Monitor(false)

    private var connection: Connection?
    private var cursor: OplogCursor?
    private var feed: ChangeFeed?
    /// How it was opened.
    private var changes: ChangeOpening?
    private var timeline = TimelineID("")
    private var received: UInt64 = 0
    /// The newest entry, to find the place again when a cursor dies.
    private var lastEntry: [UInt8]?
    /// The clock of the entry that was noted last.
    private var notedWall: Int64?
    /// What the timeline lacks, also where its document could not be written.
    private var late: LateEvent?
    /// It could not be written yet: the next session's first pull does it.
    private var unkept: LateEvent?
    /// Whether the member that is read still follows its set.
    private var lag = MemberLag()
    /// Times in a row that a cursor died before it brought anything.
    private var deaths = 0

    /// How long the server holds a question open that it has no answer to.
    private static let awaitSeconds = 0.5
    private static let deathLimit = 3

    /// Bytes that are held of one transaction in a change stream.
    private let transactionLimit: Int

    init(
        _ configuration: MongoConfiguration, state: RoomState, time: any TimeSource,
        transactionLimit: Int = ChangeGroups.limit
    ) {
        self.configuration = configuration
        self.transactionLimit = transactionLimit
        self.state = state
        self.time = time
    }

    var passedOver: [PassedMember] { connection?.passedOver ?? [] }

    func wake() { isWoken.update { $0 = true } }

    func close() {
        cursor?.close()
        cursor = nil
        feed?.close()
        feed = nil
        changes = nil
        connection = nil
    }

    /// The server is told nothing: it keeps what its oplog has room for.
    func acknowledge(received: UInt64, durable: UInt64) throws(TidemarkError) {}

    // MARK: opening

    func open(_ resume: ResumePoint) throws(TidemarkError) -> StreamOpening {
        close()
        isWoken.update { $0 = false }
        do throws(TidemarkError) {
            return try opened(resume)
        } catch {
            close()
            throw error
        }
    }

    private func opened(_ resume: ResumePoint) throws(TidemarkError) -> StreamOpening {
        let connection = try Connection(configuration)
        let member = Connection.Member.server(try connection.select(.anyMember))
        let hello = try Questions.hello(connection, member)
        try Membership.check(hello, configuration)
        let version = try Questions.version(connection)
        let choice = try StreamChoice.of(
            configuration, connection, member, hello, archived: resume.end?.timeline)
        if choice == .changes {
            let known = late.flatMap { $0.timeline == resume.end?.timeline ? $0 : nil }
            return try joined(
                resume,
                ChangeOpening(
                    configuration: configuration, connection: connection, member: member,
                    hello: hello, version: version, limit: transactionLimit,
                    late: known ?? LateEvent(resume)))
        }
        let identity = try Questions.identity(connection, hello, member)
        try OplogEnd.check(connection, hello, member, configuration) { seconds in
            _ = isWoken.wait(seconds: seconds) { $0 ? true : nil }
        }
        let joins = resume.end.map { !ChangeTimeline.isOne($0.timeline) } ?? false
        let last = try (joins ? resume.tail : nil).map { (tail) throws(TidemarkError) in
            try ArchivedTail.lastEntry(tail, resume.end?.ordinal ?? 0)
        }
        let joined = try OplogOpening(
            connection: connection, identity: identity,
            machine: StreamMachine(resume, lastEntry: last ?? nil, place: configuration.place)
        ).join(member)
        lastEntry = joined.lastEntry
        cursor = joined.cursor
        self.connection = connection
        return opening(
            resume, identity, joined.start.position, sourceEnd: joined.majority, version)
    }

    private func joined(
        _ resume: ResumePoint, _ opening: ChangeOpening
    ) throws(TidemarkError) -> StreamOpening {
        let identity = try Questions.identity(opening.connection, opening.hello, opening.member)
        let joined = try opening.join(resume, identity)
        feed = joined.feed
        changes = opening
        connection = opening.connection
        var told = self.opening(
            resume, identity, joined.start, sourceEnd: joined.sourceEnd, opening.version)
        told.wholeUntil = opening.late?.wholeUntil
        return told
    }

    private func opening(
        _ resume: ResumePoint, _ identity: String, _ start: Position, sourceEnd: OpTime,
        _ version: String
    ) -> StreamOpening {
        timeline = start.timeline
        received = start.ordinal
        notedWall = nil
        deaths = 0
        lag.began()
        state.update {
            $0 = RoomState.Values()
            $0.received = start
            $0.identity = identity
            $0.since = time.monotonic()
        }
        let descriptor =
            resume.descriptor
            ?? SourceDescriptor(
                source: configuration.source, kind: .mongodb, identity: identity,
                majorVersion: version.split(separator: ".").prefix(2).joined(separator: "."),
                segmentBytes: MongoRoom.segmentBytes, created: time.wall())
        return StreamOpening(
            descriptor: descriptor, start: start, serverVersion: version,
            sourceEnd: max(sourceEnd.ordinal, start.ordinal))
    }

    // MARK: pulling

    func pull(
        until deadline: MonotonicTime, into sink: any ChangeSink
    ) throws(TidemarkError) -> StreamTurn {
        guard cursor != nil || feed != nil else {
            throw TidemarkError(
                .sourceUnreachable, "the stream of \(configuration.source) is closed")
        }
        if let unkept { try keep(unkept, sink) }
        if isWoken.update({ woken in
            defer { woken = false }
            return woken
        }) {
            return .idle
        }
        do throws(TidemarkError) {
            let left = deadline.seconds(since: time.monotonic())
            let wait = max(0.001, min(left, Self.awaitSeconds))
            let (before, died) = (received, deaths)
            let bytes =
                feed == nil ? try next(wait, sink) : try nextChanges(wait, sink)
            try leaveLaggard(isIdle: received == before && deaths == died)
            guard received > before else {
                // Of a large transaction more is on its way.
                return feed?.isInParts == true ? .received : .idle
            }
            deaths = 0
            // A full batch says that more is waiting.
            return bytes >= OplogCursor.largeBatch ? .received : .drained
        } catch {
            close()
            throw error
        }
    }

    /// Takes the next batch; a dead cursor is looked for again, with the proof anew.
    private func next(
        _ wait: Double, _ sink: any ChangeSink
    ) throws(TidemarkError) -> Int {
        switch try cursor!.next(
            wait: wait,
            { (batch) throws(TidemarkError) in
                try self.take(batch, sink)
            })
        {
        case .batch(let bytes): return bytes
        case .dead(let why):
            try died(why, "its oplog")
            try findAgain()
            return 0
        }
    }

    private func died(_ why: String, _ what: String) throws(TidemarkError) {
        deaths += 1
        guard deaths > Self.deathLimit else { return }
        throw TidemarkError(
            .sourceUnreachable,
            "MongoDB at \(configuration.place) has closed the cursor on \(what) \(deaths) times: "
                + why,
            remedy: "Tidemark connects again by itself; see the server's log if this goes on")
    }

    /// The same of a change stream: its token is the proof.
    private func nextChanges(
        _ wait: Double, _ sink: any ChangeSink
    ) throws(TidemarkError) -> Int {
        let answer: ChangeStreamCursor.Answer
        do throws(TidemarkError) {
            answer = try feed!.next(
                wait: wait, now: time.monotonic(),
                { (piece) throws(TidemarkError) in
                    try self.take(piece, sink)
                })
        } catch {
            if let event = feed?.late { try keep(event, sink) }
            throw error
        }
        switch answer {
        case .batch(_, let bytes): return bytes
        case .dead(let why):
            try died(why, "its changes")
            // The member that it lived on lacks the history: others are asked.
            if try !feed!.findAgain() { feed = try changes!.findAgain(feed!) }
            return 0
        }
    }

    /// Durable before anything else, since nobody will tell of it again.
    private func keep(_ event: LateEvent, _ sink: any ChangeSink) throws(TidemarkError) {
        late = event
        unkept = event
        try sink.attach(LateEvent.document, timeline: event.timeline, event.bytes)
        unkept = nil
    }

    private func take(_ piece: ChangeFeed.Piece, _ sink: any ChangeSink) throws(TidemarkError) {
        guard piece.last.ordinal > received else {
            // A part of a large transaction: the position moves with its end.
            let part = unsafe piece.bytes.span.bytes
            try sink.append(part, from: received, to: received)
            state.update { $0.bytes += UInt64(part.byteCount) }
            return
        }
        let notes = piece.notes.map { note in
            OplogBatch.Note(ts: note.time, wall: note.wall, point: nil)
        }
        try hand(on: unsafe piece.bytes.span.bytes, to: piece.last, notes, sink)
    }

    /// A member that has stopped following its set is left for one that follows it. What has come
    /// joins there with the same proof as when a stream is opened.
    private func leaveLaggard(isIdle: Bool) throws(TidemarkError) {
        guard let connection, !configuration.isDirect, feed?.isInParts != true,
            let old = cursor?.member ?? feed?.member,
            let place = lag.unreached(
                by: OpTime(ordinal: received), of: state.read { $0.committed }, isIdle: isIdle,
                now: time.monotonic()),
            let next = connection.member(at: place, besides: old)
        else { return }
        if let left = feed, let opening = changes {
            let other = try opening.through(next)
            feed = try other.findAgain(left)
            changes = other
            left.close()
        } else {
            let left = cursor
            try findAgain(at: next)
            left?.close()
        }
        guard let now = cursor?.member ?? feed?.member, now != old else { return }
        lag.began()
        connection.passOver(old, reason: "it has stopped following its set")
    }

    /// Joins behind what was received as an archive is joined, with other members if need be.
    private func findAgain(at member: Connection.Member? = nil) throws(TidemarkError) {
        guard let old = cursor else { return }
        let end = Position(timeline: timeline, ordinal: received)
        let joined = try OplogOpening(
            connection: old.connection, identity: state.read { $0.identity } ?? "",
            machine: StreamMachine(
                ResumePoint(descriptor: nil, end: end), lastEntry: lastEntry,
                place: configuration.place)
        ).join(member ?? old.member)
        cursor = joined.cursor
    }

    /// Entries of one batch, whole and in order, at most 1 MiB at a time.
    private func take(
        _ batch: OplogBatch, _ sink: any ChangeSink
    ) throws(TidemarkError) {
        guard batch.first.ordinal > received else { throw wentBack(to: batch.first) }
        try hand(on: unsafe batch.bytes.span.bytes, to: batch.last, batch.notes, sink)
        lastEntry = Array(batch.bytes[batch.lastStart...])
    }

    /// What came before is archived, and must not be archived as what follows it.
    private func wentBack(to first: OpTime) -> TidemarkError {
        TidemarkError(
            .sourceUnreachable,
            "the oplog of MongoDB at \(configuration.place) went back from "
                + "\(OpTime(ordinal: received)) to \(first) while it was read",
            remedy: "Tidemark connects again and finds out what the server holds; if this goes on, "
                + "the server was put back to an older copy, or is no mongod: see its log")
    }

    private func hand(
        on bytes: RawSpan, to last: OpTime, _ notes: [OplogBatch.Note], _ sink: any ChangeSink
    ) throws(TidemarkError) {
        try sink.append(bytes, from: received, to: last.ordinal)
        var previous = received
        received = last.ordinal
        for note in notes where note.wall != notedWall || note.point != nil {
            notedWall = note.wall
            try sink.note(
                HistoryEntry(
                    event: note.point.map { .restorePoint(name: $0) } ?? .commit(transaction: 0),
                    first: max(previous, note.ts.ordinal - 1), last: note.ts.ordinal,
                    time: CommitTime(milliseconds: note.wall)))
            previous = note.ts.ordinal
        }
        try sink.edge(received, state: "")
        let count = UInt64(bytes.byteCount)
        state.update {
            $0.received = Position(timeline: timeline, ordinal: received)
            $0.bytes += count
            if let wall = notes.last?.wall { $0.wall = CommitTime(milliseconds: wall) }
        }
    }
}
