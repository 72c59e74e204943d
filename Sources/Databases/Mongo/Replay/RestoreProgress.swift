import Model

/// How far a restore into a live server has come, kept in that server: an interrupted one goes on
/// when the same command is given again. The database is gone when the restore has ended.
///
/// What comes last (indexes, views, users, the drop of what was temporary) is of one moment alone:
/// behind it nothing more is replayed. So from there on the mark says which moment that is
/// (`ends`), and serves no other. Once all is there and durable it says so (`complete`), until the
/// result has been told: a restore that is killed in between is found to be whole when the command
/// is given again.
///
/// ```
/// tidemark_restore.progress
///   {_id: "restore", source, backup, timeline, position, ahead, repeats, base, misses, ends,
///    complete, warnings}
///   {_id: "file:<name>"}   a collection of the base that is whole
/// ```
///
/// The last thing that is written before the database goes is the same once more as
/// `{_id: "concluded", …}`: nothing of it is left in the data, but in the oplog of a target that is
/// of a set (`ConcludedRestore`).
///
/// There is no `position` before the base is whole: a server puts its own time in the place of an
/// empty timestamp that a document has at its top (`fixDocumentForInsert`, `ObjectReplaceNode`).
struct RestoreProgress {
    static let place = Namespace("tidemark_restore", "progress")
    private static let restore = "restore"

    var source: String
    var backup: String
    var timeline: String
    /// Replayed up to here.
    var position = OpTime.zero
    /// What is there may be of entries up to this one; no later than `position` where nothing was
    /// under way, and where an older program has written this.
    var ahead = OpTime.zero
    /// Some of it was written and had to be written again, in this run or an earlier one.
    var repeats = false
    /// The base backup is whole.
    var hasBase = false
    /// Counted before `position`.
    var misses = 0
    /// The moment that the server is brought to, once what belongs to it alone is written.
    var ends: OpTime?
    /// Everything is there; only this mark is too much.
    var isComplete = false
    /// Nothing is left of it but in the server's oplog.
    var isConcluded = false
    /// What was to be told at the end.
    var warnings: [String] = []
    var files: Set<String> = []

    init(_ order: RestoreOrder) {
        source = order.source.description
        backup = order.backup.id
        timeline = order.timeline.description
    }

    /// What an earlier restore has left; nil when there was none.
    init?(_ connection: Connection) throws(TidemarkError) {
        var found: [BSONDocument] = []
        do throws(TidemarkError) {
            try connection.each(
                BSONDocument([("find", .string(Self.place.collection))]),
                on: Self.place.database, at: .primary
            ) { found.append($0) }
        } catch let error where error.code == .notFound {
            return nil
        }
        self.init(found)
    }

    /// Of the documents that an earlier restore has left.
    init?(_ found: [BSONDocument]) {
        guard let mark = found.first(where: { $0["_id"]?.string == Self.restore }) else {
            return nil
        }
        source = mark["source"]?.string ?? ""
        backup = mark["backup"]?.string ?? ""
        timeline = mark["timeline"]?.string ?? ""
        hasBase = mark["base"]?.isTrue == true
        if hasBase {
            position = mark["position"]?.timestamp ?? .zero
            ahead = mark["ahead"]?.timestamp ?? .zero
            repeats = mark["repeats"]?.isTrue == true || ahead > position
        }
        misses = Int(mark["misses"]?.integer ?? 0)
        ends = mark["ends"]?.timestamp
        isComplete = ends != nil && mark["complete"]?.isTrue == true
        warnings = (mark["warnings"]?.elements ?? []).compactMap(\.string)
        let prefix = Self.file("")
        files = Set(
            found.compactMap { $0["_id"]?.string }.filter { $0.hasPrefix(prefix) }
                .map { String($0.dropFirst(prefix.count)) })
    }

    private static func file(_ name: String) -> String { "file:" + name }

    private static let concluded = "concluded"

    /// Of the document that was written before the others went; nil for any other.
    init?(concluded document: BSONDocument) {
        guard document["_id"]?.string == Self.concluded else { return nil }
        self.init([document.setting("_id", .string(Self.restore))])
        guard isComplete else { return nil }
        isConcluded = true
    }

    /// Whether that restore can be gone on with to serve this order.
    func serves(_ order: RestoreOrder) -> Bool {
        let mine = RestoreProgress(order)
        guard mine.source == source, mine.backup == backup, mine.timeline == timeline else {
            return false
        }
        // Between a stop's last entry and its end lies nothing: with more in the archive the same
        // moment may be given another end.
        if let ends {
            return order.stop.map { $0.last <= ends.ordinal && ends.ordinal <= $0.end } ?? false
        }
        return order.stop.map { max(position, ahead).ordinal <= $0.end } ?? true
    }

    var document: BSONDocument {
        var fields: [(String, BSONValue)] = [
            ("_id", .string(Self.restore)), ("source", .string(source)),
            ("backup", .string(backup)), ("timeline", .string(timeline)),
            ("base", .bool(hasBase)), ("misses", .int64(Int64(misses))),
        ]
        if hasBase { fields.append(("position", .timestamp(position))) }
        if hasBase, ahead > .zero { fields.append(("ahead", .timestamp(ahead))) }
        if repeats { fields.append(("repeats", .bool(true))) }
        if let ends {
            fields.append(("ends", .timestamp(ends)))
            fields.append(("complete", .bool(isComplete)))
            fields.append(("warnings", .array(warnings.map { .string($0) })))
        }
        return BSONDocument(fields)
    }

    func save(_ connection: Connection) throws(TidemarkError) {
        try Self.put(connection, document)
    }

    /// The same, durable on return, and with it everything that was written before: the journal is
    /// one sequence. A server of its own acknowledges up to 0.1 s before (`commitIntervalMs`).
    func saveDurably(_ connection: Connection) throws(TidemarkError) {
        let update = BSONDocument([
            ("q", .document(BSONDocument([("_id", .string(Self.restore))]))),
            ("u", .document(document)), ("upsert", .bool(true)),
        ])
        let reply = try connection.run(
            BSONDocument([
                ("update", .string(Self.place.collection)),
                ("updates", .array([.document(update)])),
                ("writeConcern", .document(Self.journaled)),
            ]), on: Self.place.database, at: .primary)
        let failures =
            (reply["writeErrors"]?.elements ?? []).compactMap(\.document)
            + [reply["writeConcernError"]?.document].compactMap { $0 }
        guard let failure = failures.first else { return }
        throw TidemarkError(
            .failed,
            "the server at \(connection.configuration.place) did not make the copy durable: "
                + (failure["errmsg"]?.string ?? failure.text(limit: 200)),
            remedy: "see the server's log, then give the command again: it goes on where it was")
    }

    private static let journaled = BSONDocument([("w", .int32(1)), ("j", .bool(true))])

    static func finish(_ name: String, _ connection: Connection) throws(TidemarkError) {
        try put(connection, BSONDocument([("_id", .string(file(name)))]))
    }

    private static func put(
        _ connection: Connection, _ document: BSONDocument
    ) throws(TidemarkError) {
        guard let id = document["_id"] else { preconditionFailure("a mark has an _id") }
        var bulk = BulkWrite(connection, place, isOrdered: true)
        bulk.put(id, document)
        _ = try bulk.run()
    }

    /// Takes everything away, and leaves word of it where the oplog keeps it for a while.
    func conclude(_ connection: Connection) throws(TidemarkError) {
        // What an earlier run has found there is not to be taken away once more.
        guard !isConcluded else { return }
        try Self.put(connection, document.setting("_id", .string(Self.concluded)))
        try Self.remove(connection)
    }

    static func remove(_ connection: Connection) throws(TidemarkError) {
        _ = try connection.run(
            BSONDocument([
                ("dropDatabase", .int32(1)), ("writeConcern", .document(journaled)),
            ]), on: place.database, at: .primary)
    }
}
