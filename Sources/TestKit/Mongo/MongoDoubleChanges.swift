import Mongo
import Platform

// Change streams of the whole deployment: recorded events, with the tokens of the server.
extension MongoDoubleAnswers {
    func changes(_ request: BSONDocument) -> BSONDocument {
        let stages = (request["pipeline"]?.elements ?? []).compactMap(\.document)
        guard let stream = stages.first?["$changeStream"]?.document else {
            return error(59, "CommandNotFound", "only $changeStream is answered")
        }
        state.update {
            $0.changePipeline = stages
            $0.changeStreams.append(stream)
        }
        if stream["showExpandedEvents"] != nil, !state.read({ $0.hasExpandedEvents }) {
            // What 4.4 answers.
            return error(
                40415, "Location40415",
                "BSON field '$changeStream.showExpandedEvents' is an unknown field.")
        }
        guard let cursor = state.update({ Self.start(stream, &$0) }) else {
            return error(
                286, "ChangeStreamHistoryLost",
                "Resume of change stream was not possible, as the resume point may no longer be in "
                    + "the oplog.")
        }
        return batch(
            [], cursor: state.update { $0.newCursor(cursor, at: .allChanges) }, isFirst: true)
    }

    /// nil: the oplog no longer has what comes before it.
    private static func start(
        _ stream: BSONDocument, _ state: inout MongoDoubleState
    ) -> MongoDoubleState.Cursor? {
        let oldest = state.first > 0 ? state.entries[state.first].ts : .zero
        guard let token = stream["startAfter"]?.document else {
            let time = stream["startAtOperationTime"]?.timestamp ?? .zero
            if time < oldest, !state.ignoresLostTimes { return nil }
            return .changes(state.next(from: max(time, oldest)))
        }
        let known = state.events.firstIndex {
            (try? BSONDocument($0.bytes))?["_id"]?.document == token
        }
        let time = known.map { state.events[$0].ts } ?? ResumeTokenText.time(token) ?? .zero
        if time < oldest { return nil }
        if let known { return .changes(known + 1) }
        let next = state.next(from: time)
        // It looks whether it has the event of a token when the first behind it is there.
        return token == ResumeTokenText.token(time) ? .changes(next) : .astray(next)
    }

    /// What `getMore` answers behind the token of an event that there is not.
    func moreAstray(_ id: Int64, _ next: Int, _ request: BSONDocument) -> BSONDocument {
        let seconds = Double(request["maxTimeMS"]?.integer ?? 1000) / 1000
        let hasCome = state.wait(seconds: seconds) { $0.hasEvent(next) ? true : nil as Bool? }
        guard hasCome == true else { return batch([], cursor: id, isFirst: false) }
        state.update { $0.cursors[id] = nil }
        return error(
            280, "ChangeStreamFatalError", "cannot resume stream; the resume token was not found.")
    }

    func moreChanges(_ id: Int64, _ next: Int, _ request: BSONDocument) -> BSONDocument {
        let seconds = Double(request["maxTimeMS"]?.integer ?? 1000) / 1000
        _ = state.wait(seconds: seconds) { state in
            state.hasEvent(next) || state.cursors[id] == nil
                ? true : nil as Bool?
        }
        if let end = state.read({ $0.failsAtEvent }), next >= end {
            return error(11600, "InterruptedAtShutdown", "interrupted at shutdown")
        }
        var isOld = false
        let found = state.update { state -> [BSONDocument]? in
            guard state.cursors[id] != nil else { return nil }
            if state.first > 0, next < state.events.count,
                state.events[next].ts < state.entries[state.first].ts
            {
                state.cursors[id] = nil
                isOld = true
                return nil
            }
            var next = next
            if let back = state.goesBack, state.hasEvent(next) {
                state.goesBack = nil
                next = max(0, next - back)
            }
            var bytes = 0
            var end = next
            let limit = min(state.events.count, state.failsAtEvent ?? .max)
            while end < limit, state.events[end].ts <= state.majority, bytes < state.batchBytes {
                bytes += state.events[end].bytes.count
                end += 1
            }
            var found = state.events[next..<end].compactMap { try? BSONDocument($0.bytes) }
            if let last = found.firstIndex(where: { $0["operationType"]?.string == "invalidate" }) {
                found.removeLast(found.count - 1 - last)
                state.cursors[id] = nil
            } else {
                state.cursors[id] = .changes(end)
            }
            return found
        }
        if isOld {
            return error(
                326, "OplogQueryMinTsMissing", "Specified minTs has already fallen off the oplog")
        }
        guard let found else { return error(43, "CursorNotFound", "cursor id \(id) not found") }
        let isOver = found.last?["operationType"]?.string == "invalidate"
        return batch(found, cursor: isOver ? 0 : id, isFirst: false)
    }

    /// Behind the batch its last event's token, or one that stands for the majority's newest entry.
    private func batch(
        _ events: [BSONDocument], cursor: Int64, isFirst: Bool
    ) -> BSONDocument {
        let token =
            events.last?["_id"]?.document
            ?? ResumeTokenText.token(state.read { $0.majority })
        return ok([
            (
                "cursor",
                .document(
                    BSONDocument([
                        (
                            isFirst ? "firstBatch" : "nextBatch",
                            .array(events.map { .document($0) })
                        ),
                        ("postBatchResumeToken", .document(token)), ("id", .int64(cursor)),
                        ("ns", .string("admin.$cmd.aggregate")),
                    ]))
            )
        ])
    }
}
