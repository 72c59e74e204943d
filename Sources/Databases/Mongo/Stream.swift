import Model
import Platform

/// The oplog of one replica set, followed: performs what `StreamMachine` decides.
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
    private var timeline = TimelineID("")
    private var received: UInt64 = 0
    /// The newest entry, to find the place again when a cursor dies.
    private var lastEntry: [UInt8]?
    /// The clock of the entry that was noted last.
    private var notedWall: Int64?
    /// Times in a row that a cursor died before it brought anything.
    private var deaths = 0

    /// How long the server holds a question open that it has no answer to.
    private static let awaitSeconds = 0.5
    private static let deathLimit = 3

    init(_ configuration: MongoConfiguration, state: RoomState, time: any TimeSource) {
        self.configuration = configuration
        self.state = state
        self.time = time
    }

    func wake() { isWoken.update { $0 = true } }

    func close() {
        cursor?.close()
        cursor = nil
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
        let source = try facts(connection, hello, member)
        let version = try Questions.version(connection)
        let last = try resume.tail.map { (tail) throws(TidemarkError) in
            try ArchivedTail.lastEntry(tail, resume.end?.ordinal ?? 0)
        }
        let machine = StreamMachine(resume, lastEntry: last ?? nil, place: configuration.place)
        let from = try machine.ask(source)
        var found = try OplogCursor.open(connection, member, from: from)
        let start = try machine.decide(try found.first(), source)
        if !start.skipsFirst || start.position.timeline != resume.end?.timeline,
            resume.end != nil
        {
            // Another place than was asked for.
            found.close()
            found = try OplogCursor.open(
                connection, member,
                from: OpTime(ordinal: start.position.ordinal + (start.skipsFirst ? 0 : 1)))
        }
        if start.skipsFirst { lastEntry = try found.first() } else { lastEntry = nil }
        found.isFirstKnown = start.skipsFirst
        cursor = found
        self.connection = connection
        timeline = start.position.timeline
        received = start.position.ordinal
        notedWall = nil
        deaths = 0
        state.update {
            $0 = RoomState.Values()
            $0.received = start.position
            $0.identity = source.identity
            $0.since = time.monotonic()
        }
        return opening(resume, source, start, version)
    }

    private func opening(
        _ resume: ResumePoint, _ source: StreamMachine.Source, _ start: StreamMachine.Start,
        _ version: String
    ) -> StreamOpening {
        let descriptor =
            resume.descriptor
            ?? SourceDescriptor(
                source: configuration.source, kind: .mongodb, identity: source.identity,
                majorVersion: version.split(separator: ".").prefix(2).joined(separator: "."),
                segmentBytes: MongoRoom.segmentBytes, created: time.wall())
        return StreamOpening(
            descriptor: descriptor, start: start.position, serverVersion: version,
            sourceEnd: max(source.majority.ordinal, start.position.ordinal))
    }

    private func facts(
        _ connection: Connection, _ hello: Hello, _ member: Connection.Member
    ) throws(TidemarkError) -> StreamMachine.Source {
        guard let oldest = try Questions.oldest(connection, member)?["ts"]?.timestamp,
            let majority = hello.majority ?? hello.newest
        else {
            throw TidemarkError(
                .sourceUnreachable, "the oplog of MongoDB at \(configuration.place) is empty",
                remedy: "Tidemark tries again by itself; a set that was just initiated needs a "
                    + "moment")
        }
        return StreamMachine.Source(
            identity: try Questions.identity(connection, hello, member), majority: majority,
            oldest: oldest)
    }

    // MARK: pulling

    func pull(
        until deadline: MonotonicTime, into sink: any ChangeSink
    ) throws(TidemarkError) -> StreamTurn {
        guard cursor != nil else {
            throw TidemarkError(
                .sourceUnreachable, "the stream of \(configuration.source) is closed")
        }
        if isWoken.update({ woken in
            defer { woken = false }
            return woken
        }) {
            return .idle
        }
        do throws(TidemarkError) {
            let left = deadline.seconds(since: time.monotonic())
            let wait = max(0.001, min(left, Self.awaitSeconds))
            let before = received
            let bytes = try next(wait, sink)
            guard received > before else { return .idle }
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
            deaths += 1
            guard deaths <= Self.deathLimit else {
                throw TidemarkError(
                    .sourceUnreachable,
                    "MongoDB at \(configuration.place) has closed the cursor on its oplog "
                        + "\(deaths) times: \(why)",
                    remedy: "Tidemark connects again by itself; see the server's log if this goes "
                        + "on")
            }
            try findAgain()
            return 0
        }
    }

    private func findAgain() throws(TidemarkError) {
        guard let old = cursor else { return }
        var found = try OplogCursor.open(
            old.connection, old.member, from: OpTime(ordinal: received))
        let first = try found.first()
        if let lastEntry, first != lastEntry {
            throw TidemarkError(
                .sourceUnreachable,
                "the oplog of MongoDB at \(configuration.place) changed while it was read",
                remedy: "Tidemark connects again by itself and finds out what happened")
        }
        found.isFirstKnown = lastEntry != nil
        cursor = found
    }

    /// Entries of one batch, whole and in order, at most 1 MiB at a time.
    private func take(
        _ batch: OplogBatch, _ sink: any ChangeSink
    ) throws(TidemarkError) {
        try sink.append(
            unsafe batch.bytes.span.bytes, from: received, to: batch.last.ordinal)
        var previous = received
        received = batch.last.ordinal
        for note in batch.notes where note.wall != notedWall || note.point != nil {
            notedWall = note.wall
            try sink.note(
                HistoryEntry(
                    event: note.point.map { .restorePoint(name: $0) } ?? .commit(transaction: 0),
                    first: max(previous, note.ts.ordinal - 1), last: note.ts.ordinal,
                    time: CommitTime(milliseconds: note.wall)))
            previous = note.ts.ordinal
        }
        try sink.edge(received, state: "")
        lastEntry = Array(batch.bytes[batch.lastStart...])
        state.update {
            $0.received = Position(timeline: timeline, ordinal: received)
            $0.bytes += UInt64(batch.bytes.count)
            if let wall = batch.notes.last?.wall { $0.wall = CommitTime(milliseconds: wall) }
        }
    }
}
