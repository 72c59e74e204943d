import Model

/// Asks a server whether it has the archive's last event, before anything behind it is believed.
struct JoinProof {
    let connection: Connection
    let member: Connection.Member
    let features: ChangeFeatures
    let isRouter: Bool

    /// A server that has not come to that event yet is asked so often; less where another member
    /// may have it.
    private static let questions = 24
    private static let fewQuestions = 4
    private static let wait = 0.5
    private static let shortWait = 0.1
    private static let largestBatch: Int32 = 1000

    enum Verdict {
        /// Nothing says that what is behind the archive's end does not join it.
        case joins
        /// The server has come past the archive's last event, and does not have it; why.
        case missing(String)
        /// Its oplog no longer reaches back to the archive's end; why.
        case tooOld(String)
        /// It has not come to the archive's last event yet.
        case behind
        case failed(ConnectionFailure)
    }

    /// Whether the server goes on where the archive ends.
    ///
    /// Some that speak the protocol begin at a time that their oplog no longer has as if nothing
    /// were lost, and only by a token say that it is. So an event that is not at its time is
    /// missing only where the server does not say by its token that history is lost. Where the
    /// event has left the oplog, what came behind it need not have: the last token decides.
    func check(_ tail: ChangeTail) throws(TidemarkError) -> Verdict {
        var lost: String?
        if let event = tail.event {
            switch try has(event) {
            case .success(true): return .joins
            case .success(false):
                switch try ask(event.token) {
                case .tooOld(let why): lost = why
                case .failed(let failure): return .failed(failure)
                case .joins, .missing, .behind: return .missing("it is not at its time")
                }
            case .success(nil): return .behind
            case .failure(let failure) where failure.isEventTooOld: lost = failure.text
            case .failure(let failure): return .failed(failure)
            }
        }
        guard let token = tail.token else { return .joins }
        if let lost, token == tail.event?.token { return .tooOld(lost) }
        return try ask(token)
    }

    /// What the server says of a token. It looks whether it has the token's event only when a
    /// further event is there, which may be in its first answer or in the next.
    private func ask(_ token: BSONDocument) throws(TidemarkError) -> Verdict {
        switch try ChangeStreamCursor.open(connection, member, .after(token), features) {
        case .failure(let failure): return Self.verdict(failure)
        case .success(let cursor):
            defer { cursor.close() }
            return try cursor.failure(wait: Self.shortWait).map(Self.verdict) ?? .joins
        }
    }

    private static func verdict(_ failure: ConnectionFailure) -> Verdict {
        if failure.isEventTooOld { return .tooOld(failure.text) }
        // No answer, or one that has nothing to do with the token, decides nothing.
        guard failure.domain == .server, !failure.isPassing else { return .failed(failure) }
        return .missing(failure.text)
    }

    /// - Returns: whether it is there, nil where the server has not come so far yet; or its failure
    ///   to look so far back.
    private func has(
        _ event: LastEvent
    ) throws(TidemarkError) -> Result<Bool?, ConnectionFailure> {
        let before = OpTime(ordinal: event.time.ordinal - 1)
        var known = try majority()
        var cursor: ChangeStreamCursor
        switch try ChangeStreamCursor.open(connection, member, .behind(before), features) {
        case .failure(let failure): return .failure(failure)
        case .success(let opened): cursor = opened
        }
        defer { cursor.close() }
        var search = LastEventSearch(event)
        // One event is asked for at first, and more while they are of that one transaction: the
        // server is not to look through all that lies behind.
        cursor.batchSize = 1
        var quiet = 0
        let mayAskOthers = !isRouter && !connection.configuration.isDirect
        while quiet < (mayAskOthers ? Self.fewQuestions : Self.questions) {
            let events = try ask(&cursor, &search, event.time)
            if events == 0 {
                search.nothingCame(reached: ResumeToken.time(cursor.token), majority: known)
                quiet += 1
            }
            if let isThere = search.isThere { return .success(isThere) }
            cursor.batchSize = min(Self.largestBatch, cursor.batchSize * 2)
            known = try majority()
        }
        return .success(nil)
    }

    /// A router does not know it: there only the tokens count.
    private func majority() throws(TidemarkError) -> OpTime? {
        isRouter ? nil : try Questions.hello(connection, member).majority
    }

    private func ask(
        _ cursor: inout ChangeStreamCursor, _ search: inout LastEventSearch, _ start: OpTime
    ) throws(TidemarkError) -> Int {
        var time = start
        let answer = try cursor.next(wait: Self.wait) { (reply, place) throws(TidemarkError) in
            do throws(BSONFailure) {
                let head = try EntryHead(reply, at: place, previous: time)
                time = head.ts
                let event = reply.extracting(place..<place + head.length).array
                search.take(try BSONDocument(event), at: head.ts)
            } catch {
                throw OplogBatch.malformed(error)
            }
        }
        switch answer {
        case .batch(let events, _): return events
        case .dead(let why):
            throw TidemarkError(
                .sourceUnreachable,
                "MongoDB at \(connection.configuration.place) closed the change stream that was to "
                    + "show whether the archive joins: \(why)",
                remedy: "Tidemark connects again by itself")
        }
    }
}
