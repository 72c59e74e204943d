import Mongo
import Platform

// Change streams of the whole deployment: recorded events, with the tokens of the server.
extension MongoDoubleAnswers {
    func changes(_ request: BSONDocument) -> BSONDocument {
        let stages = (request["pipeline"]?.elements ?? []).compactMap(\.document)
        guard let stream = stages.first?["$changeStream"]?.document else {
            return error(59, "CommandNotFound", "only $changeStream is answered")
        }
        if stream["showExpandedEvents"] != nil {
            // What 4.4 answers.
            return error(40415, "Location40415", "BSON field 'showExpandedEvents' is unknown")
        }
        guard let next = state.update({ Self.start(stream, &$0) }) else {
            return error(
                286, "ChangeStreamHistoryLost",
                "Resume of change stream was not possible, as the resume point may no longer be in "
                    + "the oplog.")
        }
        return batch([], cursor: state.update { $0.newCursor(.changes(next)) }, isFirst: true)
    }

    /// Index of the first event to send; nil when the oplog no longer has what comes before it.
    private static func start(_ stream: BSONDocument, _ state: inout MongoDoubleState) -> Int? {
        let token = stream["startAfter"]?.document
        let known = token.flatMap { token in
            state.events.firstIndex { (try? BSONDocument($0.bytes))?["_id"]?.document == token }
        }
        let time =
            known.map { state.events[$0].ts }
            ?? token.flatMap { ResumeTokenText.time($0) } ?? stream["startAtOperationTime"]?
            .timestamp
            ?? .zero
        if state.first > 0, time < state.entries[state.first].ts { return nil }
        if let known { return known + 1 }
        return state.events.firstIndex { $0.ts >= time } ?? state.events.count
    }

    func moreChanges(_ id: Int64, _ next: Int, _ request: BSONDocument) -> BSONDocument {
        let seconds = Double(request["maxTimeMS"]?.integer ?? 1000) / 1000
        _ = state.wait(seconds: seconds) { state in
            state.events.count > next && state.events[next].ts <= state.majority
                || state.cursors[id] == nil
                ? true : nil as Bool?
        }
        let found = state.update { state -> [BSONDocument]? in
            guard state.cursors[id] != nil else { return nil }
            if state.first > 0, next < state.events.count,
                state.events[next].ts < state.entries[state.first].ts
            {
                state.cursors[id] = nil
                return nil
            }
            var bytes = 0
            var end = next
            while end < state.events.count, state.events[end].ts <= state.majority,
                bytes < state.batchBytes
            {
                bytes += state.events[end].bytes.count
                end += 1
            }
            state.cursors[id] = .changes(end)
            return state.events[next..<end].compactMap { try? BSONDocument($0.bytes) }
        }
        guard let found else { return error(43, "CursorNotFound", "cursor id \(id) not found") }
        return batch(found, cursor: id, isFirst: false)
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
