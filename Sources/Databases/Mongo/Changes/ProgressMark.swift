/// Our own document among the events: how far the stream is although nothing happened.
///
/// ```
/// {_id: <postBatchResumeToken>, operationType: "tidemark progress", clusterTime: T, wallTime: …}
/// ```
///
/// It is written when the server, asked after a majority had T, had no event to tell. So the
/// archive is proved up to T, and its last document always holds the token that goes on exactly
/// behind it. A replay passes it over.
enum ProgressMark {
    static let operation = "tidemark progress"

    /// - Parameter wall: the primary's clock in the entry of time `time`; nil when it is not known.
    static func document(
        token: BSONDocument, time: OpTime, wall: Int64?
    ) -> BSONDocument {
        var fields: [(String, BSONValue)] = [
            ("_id", .document(token)), ("operationType", .string(operation)),
            ("clusterTime", .timestamp(time)),
        ]
        if let wall { fields.append(("wallTime", .date(milliseconds: wall))) }
        return BSONDocument(fields)
    }
}
