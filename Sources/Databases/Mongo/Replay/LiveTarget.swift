import Model
import Platform

/// A live server as a replay's target: ordinary commands and bulk writes, no `applyOps`.
///
/// Documents go over several connections, commands over one, and no command overtakes a document.
final class LiveTarget: ReplayTarget {
    let connection: Connection
    let users = HeldUsers()
    private let pool: WriterPool
    private var progress: RestoreProgress
    /// Where an interrupted restore was; until it is passed the server may be ahead.
    private(set) var resumed: RestoreProgress?
    private var mayBeAhead: Bool
    /// What was refused and leaves the rest right: indexes.
    private let refused = Monitor<[String]>([])
    /// What did not exist although it must, of what was begun.
    private let missing = Monitor(0)
    /// What has to go first; nil where nothing has.
    let emptied: EmptiedServer?
    /// Whether the server has shown it.
    var takesDirectUpdates = false

    /// Connections that write: a server takes the writes of one connection one by one.
    private static let width = 4
    /// `_id`s that are asked for, or deleted, at once.
    private static let questionSize = 1000
    /// Bytes of documents that are sent together: so few that a small collection, too, keeps every
    /// connection busy.
    static let batchBytes = 1 << 20
    /// The same of updates, which are more work than their bytes.
    private static let updateBytes = 1 << 17

    /// Connects, and refuses a server that cannot be filled; writes nothing.
    init(
        _ configuration: MongoConfiguration, _ order: RestoreOrder
    ) throws(TidemarkError) {
        connection = try Connection(configuration)
        resumed = try TargetCheck(connection, order).run()
        progress = resumed ?? RestoreProgress(order)
        mayBeAhead = resumed != nil
        // An interrupted restore has done so, and what is there now is its own.
        emptied = order.force && resumed == nil ? try EmptiedServer(connection) : nil
        try emptied?.checkRights()
        pool = WriterPool(configuration, width: Self.width)
    }

    var isResumed: Bool { resumed != nil }
    func hasFile(_ name: String) -> Bool { resumed?.files.contains(name) == true }
    var notes: [String] { refused.read { $0 } }

    // MARK: progress

    /// The first write, behind which the server is known to be half filled.
    func begin() throws(TidemarkError) {
        try emptied?.run()
        try progress.save(connection)
        takesDirectUpdates = try DirectUpdateProof(connection).run()
    }

    /// Everything of the base backup is in the server.
    func finishBase(at position: OpTime) throws(TidemarkError) {
        try pool.wait()
        guard !progress.hasBase else { return }
        progress.hasBase = true
        progress.position = position
        try progress.save(connection)
    }

    func mark(_ report: ReplayReport) throws(TidemarkError) {
        if let resumed, report.reached > resumed.position, report.reached >= resumed.ahead {
            mayBeAhead = false
        }
        progress.position = report.reached
        progress.misses = (resumed?.misses ?? 0) + report.misses
        try progress.save(connection)
    }

    /// Over this connection, and answered, before any other is given something to write.
    func announce(_ ahead: OpTime) throws(TidemarkError) {
        guard ahead > progress.ahead else { return }
        progress.ahead = ahead
        try progress.save(connection)
    }

    /// What follows is of this moment alone.
    func beginEnd(at moment: OpTime) throws(TidemarkError) {
        progress.ends = moment
        try progress.save(connection)
    }

    var wantsMore: Bool { pool.isRunningOut }

    /// Then `notes` are whole, too.
    @discardableResult
    func awaitWrites() throws(TidemarkError) -> Int {
        try pool.wait()
        return missing.update { missing in
            defer { missing = 0 }
            return missing
        }
    }

    /// Everything is there, and durable on return.
    ///
    /// - Parameters:
    ///   - warnings: kept for whoever finds this restore whole and its result untold.
    ///   - misses: all of them.
    func markComplete(_ warnings: [String], misses: Int) throws(TidemarkError) {
        progress.isComplete = true
        progress.misses = misses
        progress.warnings = warnings
        try progress.saveDurably(connection)
    }

    /// The result has been told: nothing is left that tells of a restore.
    func conclude() throws(TidemarkError) { try progress.conclude(connection) }

    // MARK: documents

    /// Documents of the base, one behind the other; `file` counts them.
    func load(
        _ documents: [UInt8], count: Int, into namespace: Namespace, _ file: LoadedFile
    ) throws(TidemarkError) {
        file.begin()
        try pool.submit { (connection) throws(TidemarkError) in
            try file.check(documents, count: count)
            _ = try BulkInsert.run(
                connection, namespace, documents, count: count, isOrdered: file.keepsOrder)
            try file.end(connection)
        }
        // One after the other: the next batch of a capped collection lies behind this one.
        if file.keepsOrder { try pool.wait() }
    }

    func documents(
        _ ids: [BSONValue], in namespace: Namespace
    ) throws(TidemarkError) -> [BSONDocument] {
        if HeldUsers.isPlace(namespace) { return users.found(ids, in: namespace) }
        return try documents([namespace: ids])[namespace] ?? []
    }

    func documents(
        _ questions: [Namespace: [BSONValue]]
    ) throws(TidemarkError) -> [Namespace: [BSONDocument]] {
        let found = Monitor<[Namespace: [BSONDocument]]>([:])
        for (namespace, ids) in questions {
            if HeldUsers.isPlace(namespace) {
                let held = users.found(ids, in: namespace)
                found.update { $0[namespace] = held }
                continue
            }
            var rest = ids[...]
            while !rest.isEmpty {
                let part = Array(rest.prefix(Self.questionSize))
                rest = rest.dropFirst(part.count)
                try pool.submit { (connection) throws(TidemarkError) in
                    let some = try connection.documents(part, in: namespace)
                    found.update { $0[namespace, default: []] += some }
                }
            }
        }
        try pool.wait()
        return found.read { $0 }
    }

    func write(_ batch: WriteBatch, to namespace: Namespace) throws(TidemarkError) -> Int {
        try begin([PlacedBatch(namespace: namespace, batch: batch, keepsOrder: false)])
        return try awaitWrites()
    }

    func append(_ documents: [BSONDocument], to namespace: Namespace) throws(TidemarkError) {
        for document in documents where HeldUsers.isPlace(namespace) {
            users.put(document, in: namespace)
        }
    }

    func begin(_ batches: [PlacedBatch]) throws(TidemarkError) {
        let missing = missing
        var plain: [PlacedBatch] = []
        for placed in batches {
            if HeldUsers.isPlace(placed.namespace) {
                users.write(placed.batch, to: placed.namespace)
            } else if placed.keepsOrder {
                let mayBeAhead = mayBeAhead
                try pool.submit { (connection) throws(TidemarkError) in
                    try CappedWrite(connection, placed).run(mayBeAhead: mayBeAhead)
                }
            } else {
                plain.append(placed)
            }
        }
        for placed in plain {
            for part in placed.batch.deletions.pieces(Self.questionSize, { _ in 1 }) {
                try pool.submit { (connection) throws(TidemarkError) in
                    let deleted = try connection.delete(part.map(\.id), in: placed.namespace)
                    missing.update { $0 += max(0, part.count { $0.mustExist } - deleted) }
                }
            }
        }
        // The same `_id` may be spelled in two ways: nothing is put before all deletions are done.
        if plain.contains(where: { !$0.batch.deletions.isEmpty }) { try pool.wait() }
        for placed in plain { try put(placed.batch, placed.namespace) }
    }

    /// Hands it to the pool whole: it is in memory anyway.
    private func put(_ batch: WriteBatch, _ namespace: Namespace) throws(TidemarkError) {
        let missing = missing
        let size = { (put: WriteBatch.Put) in put.document.bytes.count }
        for part in batch.puts.filter(\.isNew).pieces(Self.batchBytes, size) {
            try pool.submit(waits: false) { (connection) throws(TidemarkError) in
                try connection.insert(part, in: namespace)
            }
        }
        for part in batch.puts.filter({ !$0.isNew }).pieces(Self.batchBytes, size) {
            try pool.submit(waits: false) { (connection) throws(TidemarkError) in
                let upserted = try connection.put(part, in: namespace, isOrdered: false)
                let mayBeNew = part.count { !$0.mustExist }
                missing.update { $0 += max(0, upserted - mayBeNew) }
            }
        }
        for part in batch.changes.pieces(Self.updateBytes, { $0.update.size }) {
            try pool.submit(waits: false) { (connection) throws(TidemarkError) in
                let absent = try connection.update(part, in: namespace)
                missing.update { $0 += absent }
            }
        }
    }

    // MARK: collections

    func run(
        _ command: BSONDocument, on database: String, tolerating codes: Set<Int> = []
    ) throws(TidemarkError) {
        try connection.write(command, on: database, tolerating: codes)
    }

    func createIndexes(
        _ specifications: [BSONDocument], on namespace: Namespace
    ) throws(TidemarkError) {
        if HeldUsers.isPlace(namespace) { return }
        let refused = refused
        for (place, part) in SeriesIndexes.placed(specifications, on: namespace) {
            try pool.submit { (connection) throws(TidemarkError) in
                let lines = try IndexBuild(connection, place).run(part)
                if !lines.isEmpty { refused.update { $0 += lines } }
            }
        }
    }

    /// What a server that is ahead answers is no error: the collection has its new name already.
    func rename(_ from: Namespace, to: Namespace, dropsTarget: Bool) throws(TidemarkError) {
        try run(
            BSONDocument([
                ("renameCollection", .string(from.description)), ("to", .string(to.description)),
                ("dropTarget", .bool(dropsTarget)),
                // NamespaceNotFound.
            ]), on: "admin", tolerating: mayBeAhead ? [26] : [])
    }
}

extension Array {
    /// In pieces of at most `limit` by `size`; what is larger goes alone.
    func pieces(_ limit: Int, _ size: (Element) -> Int) -> [[Element]] {
        var pieces: [[Element]] = []
        var piece: [Element] = []
        var held = 0
        for element in self {
            let more = size(element)
            if !piece.isEmpty, held + more > limit {
                pieces.append(piece)
                piece = []
                held = 0
            }
            piece.append(element)
            held += more
        }
        if !piece.isEmpty { pieces.append(piece) }
        return pieces
    }
}
