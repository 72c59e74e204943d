import Model

/// The restore that a server's oplog tells the end of.
///
/// Nothing is left in the data of a server that was filled, since the source had nothing of it
/// either. A command that is killed between that and its exit is given again, and meets data. A
/// member of a set has the last words of the restore in its oplog (`RestoreProgress.conclude`), for
/// as long as that reaches back. Where nothing was written since, the copy is what it was. Of a
/// server that stands alone nobody can tell, nor of one that was started since: it may have stood
/// alone meanwhile, and then its oplog tells of no write.
struct ConcludedRestore {
    var progress: RestoreProgress
    /// Nothing was written behind it, by whomever.
    var isUntouched: Bool
    /// By the server's clock; nil where the entry does not tell.
    private var ended: Int64?

    /// Newest entries that are looked at: behind a restore come its own last commands and no-ops.
    private static let limit: Int32 = 1000

    /// Nil where there is no oplog, it may not be read, or it tells of none.
    static func look(_ connection: Connection) throws(TidemarkError) -> ConcludedRestore? {
        guard try Questions.hello(connection, .primary).setName != nil else { return nil }
        let found = ConcludedRestore(newestFirst: try newest("oplog.rs", limit, connection))
        guard let found, let ended = found.ended else { return nil }
        let starts = try newest("startup_log", 1, connection).map { $0["startTime"]?.date }
        // Starts are told in whole seconds: one within the same second may have come later.
        let isSince = starts.contains { $0 == nil || $0! / 1000 >= ended / 1000 }
        return starts.isEmpty || isSince ? nil : found
    }

    /// None where there are none, or they may not be read.
    private static func newest(
        _ collection: String, _ count: Int32, _ connection: Connection
    ) throws(TidemarkError) -> [BSONDocument] {
        let answer = try connection.answer(
            BSONDocument([
                ("find", .string(collection)),
                ("sort", .document(BSONDocument([("$natural", .int32(-1))]))),
                ("limit", .int32(count)), ("batchSize", .int32(count)),
                ("singleBatch", .bool(true)),
            ]), on: "local", at: .primary)
        switch answer {
        case .success(let reply):
            let batch = reply["cursor"]?.document?["firstBatch"]?.elements ?? []
            return batch.compactMap(\.document)
        case .failure(let failure) where failure.domain == .server: return []
        case .failure(let failure):
            throw failure.targetError(connection.configuration, "local.\(collection)")
        }
    }

    /// Of the newest entries of an oplog.
    init?(newestFirst entries: [BSONDocument]) {
        isUntouched = true
        let mark = RestoreProgress.place
        for entry in entries {
            let place = entry["ns"]?.string.flatMap { Namespace($0) }
            // What a server writes for itself, and the end of our own database.
            if entry["op"]?.string == "n" || place?.database == "config" { continue }
            guard place?.database == mark.database else {
                isUntouched = false
                continue
            }
            guard place == mark else { continue }
            guard let told = entry["o"]?.document, let found = RestoreProgress(concluded: told)
            else { return nil }
            progress = found
            ended = entry["wall"]?.date
            return
        }
        return nil
    }
}
