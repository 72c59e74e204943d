/// Our own document among the events: how far the stream is although nothing happened.
///
/// ```
/// {_id: <postBatchResumeToken>, operationType: "tidemark progress", clusterTime: T, wallTime: …,
///  lastEvent: <token of the last event before it>, lastEventTime: …,
///  lastEventKey: {operationType: …, ns: …, documentKey: …}}
/// ```
///
/// It is written when the server, asked after a majority had T, had no event to tell. So the
/// archive is proved up to T, and its last document always holds the token that goes on exactly
/// behind it. A replay passes it over. A server takes a token that is no event's on trust, also one
/// that was put back to an older copy; the last event is looked for there (`JoinProof`).
enum ProgressMark {
    static let operation = "tidemark progress"
    static let eventField = "lastEvent"
    static let eventTimeField = "lastEventTime"
    static let eventKeyField = "lastEventKey"

    /// - Parameters:
    ///   - wall: the primary's clock in the entry of time `time`; nil when it is not known.
    ///   - lastEvent: nil when no event has come yet.
    static func document(
        token: BSONDocument, time: OpTime, wall: Int64?, lastEvent: LastEvent?
    ) -> BSONDocument {
        var fields: [(String, BSONValue)] = [
            ("_id", .document(token)), ("operationType", .string(operation)),
            ("clusterTime", .timestamp(time)),
        ]
        if let wall { fields.append(("wallTime", .date(milliseconds: wall))) }
        if let lastEvent {
            fields.append((eventField, .document(lastEvent.token)))
            fields.append((eventTimeField, .timestamp(lastEvent.time)))
            if let key = lastEvent.key { fields.append((eventKeyField, .document(key))) }
        }
        return BSONDocument(fields)
    }
}
