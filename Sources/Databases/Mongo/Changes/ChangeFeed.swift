import Model
import Platform

/// An open change stream: pulls events, and hands them on when their time is complete.
///
/// Begins behind the archive's end, which a server takes only when it still has everything behind
/// it (ChangeStreamHistoryLost otherwise). That it also has the archive's last event, so that the
/// two join, is proved before (`JoinProof`), each time a stream is opened.
struct ChangeFeed {
    let timeline: TimelineID
    private let connection: Connection
    let member: Connection.Member
    private let features: ChangeFeatures
    private let isRouter: Bool
    private var cursor: ChangeStreamCursor
    private var groups: ChangeGroups
    private(set) var received: OpTime
    /// Of what was handed on.
    private(set) var tail = ChangeTail()
    /// The last answer had nothing.
    private var isIdle = true
    private var marked: MonotonicTime?
    /// An event that is missing in what was handed on; the stream ends with it.
    private(set) var late: LateEvent?
    /// What a majority had before the last question, when that had no answer.
    private var unanswered: Bound?

    private typealias Bound = (time: OpTime, wall: Int64?)

    /// Bytes that are handed on before the batch at hand is at its end.
    private static let pieceBytes = 1 << 20
    /// How long the server may wait for more of a time that is not complete.
    private static let shortWait = 0.01
    /// Seconds between two marks.
    private static let markSeconds = 0.9

    /// Opens it; a failure is the server's.
    static func open(
        _ timeline: TimelineID, _ connection: Connection, _ member: Connection.Member,
        behind received: OpTime, tail: ChangeTail, _ features: ChangeFeatures, isRouter: Bool,
        limit: Int = ChangeGroups.limit
    ) throws(TidemarkError) -> Result<ChangeFeed, ConnectionFailure> {
        switch try ChangeStreamCursor.open(connection, member, .behind(received), features) {
        case .failure(let failure): return .failure(failure)
        case .success(let cursor):
            var feed = ChangeFeed(
                timeline: timeline, connection: connection, member: member, features: features,
                isRouter: isRouter,
                cursor: cursor, groups: ChangeGroups(behind: received, limit: limit),
                received: received)
            feed.tail = tail
            return .success(feed)
        }
    }

    private init(
        timeline: TimelineID, connection: Connection, member: Connection.Member,
        features: ChangeFeatures,
        isRouter: Bool, cursor: ChangeStreamCursor, groups: ChangeGroups, received: OpTime
    ) {
        self.timeline = timeline
        self.connection = connection
        self.member = member
        self.features = features
        self.isRouter = isRouter
        self.cursor = cursor
        self.groups = groups
        self.received = received
    }

    func close() { cursor.close() }

    /// Entries whose times are complete, the last of these, and what the index is told. Where the
    /// last is what was received before, a part of a large transaction, whose last part is to come.
    typealias Piece = (bytes: ArraySlice<UInt8>, last: OpTime, notes: [ChangeGroups.Note])

    /// Asks once. Returns the bytes that came, or why the cursor is gone.
    mutating func next(
        wait: Double, now: MonotonicTime, _ body: (Piece) throws(TidemarkError) -> Void
    ) throws(TidemarkError) -> ChangeStreamCursor.Answer {
        let bound = try isDue(now) ? majority() : nil
        // Taken out while they are at work, so that nothing of them is copied.
        var groups = groups
        self.groups = ChangeGroups(behind: received, limit: groups.limit)
        var cursor = cursor
        // A replica set then says that there is no more of that time; a router does not, until its
        // shards have come past it.
        let isShort = groups.isHolding && !isRouter
        let answer = try cursor.next(wait: isShort ? Self.shortWait : wait) {
            (reply, start) throws(TidemarkError) in
            let taken: ChangeGroups.Taken
            do throws(BSONFailure) {
                taken = try groups.take(reply, at: start)
            } catch {
                throw OplogBatch.malformed(error)
            }
            if case .late(let place) = taken {
                try compare(reply.extracting(place).array)
            }
            if groups.ready >= Self.pieceBytes { try handOn(&groups, body) }
            try handOnPart(&groups, body)
        }
        self.cursor = cursor
        if case .batch(let events, _) = answer {
            try settle(&groups, events: events, isOver: cursor.isOver, bound: bound, now)
        }
        if groups.ready > 0 { try handOn(&groups, body) }
        self.groups = groups
        return answer
    }

    /// What was told before may be told once more; anything else of a time that was handed on is
    /// missing in the archive.
    private mutating func compare(_ event: [UInt8]) throws(TidemarkError) {
        if tail.recent.holds(event[...]) { return }
        let found = LateEvent(event, on: timeline)
        late = found
        throw found.error(connection.configuration)
    }

    private func isDue(_ now: MonotonicTime) -> Bool {
        guard isIdle, !groups.isHolding else { return false }
        return marked.map { now.seconds(since: $0) >= Self.markSeconds } ?? true
    }

    /// What a majority has before the question is asked, so that an empty answer says that all of
    /// it has come. A router does not know it: there only the tokens count.
    private func majority() throws(TidemarkError) -> Bound? {
        if isRouter { return (.zero, nil) }
        let hello = try Questions.hello(connection, member)
        return hello.majority.map { ($0, hello.majorityWall) }
    }

    /// Decides what is complete behind an answer, and writes a mark when it is due.
    private mutating func settle(
        _ groups: inout ChangeGroups, events: Int, isOver: Bool,
        bound: Bound?, _ now: MonotonicTime
    ) throws(TidemarkError) {
        let reached = ResumeToken.time(cursor.token)
        do throws(BSONFailure) {
            if let reached, reached.ordinal > 0 {
                try groups.settle(OpTime(ordinal: reached.ordinal - 1))
            }
            // A stream that was invalidated has told all there is of its last time.
            if events == 0 && !isRouter || isOver { try groups.settle() }
        } catch {
            throw OplogBatch.malformed(error)
        }
        isIdle = events == 0
        let before = unanswered
        unanswered = events == 0 ? bound : nil
        // A server whose tokens tell no time may write an event a little after it has told its
        // time: of such a one what it told a question earlier counts.
        guard events == 0, let bound = reached == nil ? before : bound, let token = cursor.token
        else { return }
        // A token that is no event's stands before the events of its time.
        let told = OpTime(ordinal: max(1, reached?.ordinal ?? 1) - 1)
        let isMajority = bound.time >= told
        let time = max(bound.time, told)
        guard time > received, groups.ready == 0 else { return }
        let wall = isMajority ? clock(bound.wall, time) : nil
        let mark = ProgressMark.document(
            token: token, time: time, wall: wall, lastEvent: tail.event)
        guard groups.add(mark, at: time, wall: wall) else { return }
        marked = now
    }

    /// Before 6.0 events tell their second only; a mark that told more would be later than events
    /// behind it.
    private func clock(_ wall: Int64?, _ time: OpTime) -> Int64? {
        guard let wall, !features.hasExpandedEvents else { return wall }
        return min(wall, Int64(time.seconds) * 1000)
    }

    private mutating func handOn(
        _ groups: inout ChangeGroups,
        _ body: (Piece) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        do throws(BSONFailure) {
            if let document = try groups.lastDocument() {
                tail.take(document, previous: groups.readyTime)
            }
        } catch {
            throw OplogBatch.malformed(error)
        }
        let last = groups.readyTime
        tail.keep(groups.bytes[..<groups.ready])
        try body(
            (groups.bytes[..<groups.ready], last, groups.notes.filter { $0.time <= last }))
        received = last
        groups.clear()
    }

    /// Events of a transaction that is too large to be held.
    private mutating func handOnPart(
        _ groups: inout ChangeGroups,
        _ body: (Piece) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        guard groups.isPartDue else { return }
        if groups.ready > 0 { try handOn(&groups, body) }
        // In a call of its own, so that nothing of it is left when it is removed.
        try handOnHeld(&groups, body)
        groups.clearPart()
    }

    private func handOnHeld(
        _ groups: inout ChangeGroups,
        _ body: (Piece) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        let part: ArraySlice<UInt8>
        do throws(BSONFailure) {
            part = try groups.part()
        } catch {
            throw OplogBatch.malformed(error)
        }
        try body((part, received, []))
    }

    /// Half of a large transaction has been handed on.
    var isInParts: Bool { groups.isInParts }

    /// Opens the stream again behind what was handed on; false when this member no longer has what
    /// comes there.
    mutating func findAgain() throws(TidemarkError) -> Bool {
        guard !groups.isInParts else {
            throw TidemarkError(
                .sourceUnreachable,
                "MongoDB at \(connection.configuration.place) closed the change stream within a "
                    + "transaction of more than \(ByteCount(UInt64(groups.limit)))",
                remedy: "Tidemark connects again by itself, and asks for all of it once more")
        }
        groups.restart()
        isIdle = false
        unanswered = nil
        let proof = JoinProof(
            connection: connection, member: member, features: features, isRouter: isRouter)
        switch try proof.check(tail) {
        case .joins: break
        case .missing, .tooOld, .behind: return false
        case .failed(let failure): throw failure.changesError(connection.configuration)
        }
        switch try ChangeStreamCursor.open(connection, member, .behind(received), features) {
        case .success(let found):
            cursor = found
            return true
        case .failure(let failure) where failure.isHistoryLost: return false
        case .failure(let failure): throw failure.changesError(connection.configuration)
        }
    }
}
