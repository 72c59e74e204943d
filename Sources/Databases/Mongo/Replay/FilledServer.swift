import Model

/// A live server being filled: documents, then the oplog in our own code, then indexes, views,
/// users and roles. An interrupted one goes on where it was (`RestoreProgress`).
final class FilledServer: Restoration {
    private(set) var warnings: [String] = []
    private(set) var notes: [String] = []
    private let order: RestoreOrder
    private let target: LiveTarget
    private var catalog = ReplayCatalog()
    private var metadata: [UInt8] = []
    private var current: StoredFile?
    /// The collection whose documents come; nil while nothing of them is wanted.
    private var file: LoadedFile?
    private var framer = EntryFramer()
    private var waiting: [UInt8] = []
    private var count = 0
    private var replay: OplogReplay?
    /// Updates and deletions that met no document, counted over all runs of this restore.
    private var misses = 0
    private var entries = ArchivedEntries()

    /// Most documents that a server takes at once (`maxWriteBatchSize`).
    private static let batchCount = 100_000

    /// Connects and checks everything that can be checked without changing anything.
    init(_ order: RestoreOrder, server url: String) throws(TidemarkError) {
        self.order = order
        target = try LiveTarget(try MongoConfiguration(source: order.source, url: url), order)
        if let note = target.emptied?.note { notes.append(note) }
        guard let resumed = target.resumed else { return }
        if let end = resumed.ends, resumed.isComplete {
            notes.append(
                "an earlier restore was ended when everything up to \(end) was there already")
            warnings += resumed.warnings
            misses = resumed.misses
        } else {
            notes.append(
                resumed.hasBase
                    ? "goes on with an interrupted restore, behind \(resumed.position)"
                    : "goes on with an interrupted restore, of whose base backup "
                        + "\(resumed.files.count) collections are whole")
        }
    }

    var isComplete: Bool { target.resumed?.isComplete == true }

    func begin() throws(TidemarkError) {
        order.leaves(
            "the server at \(target.connection.configuration.place) is half filled; the same "
                + "command, given again, goes on where it was")
        try target.begin()
    }

    // MARK: the base backup

    func open(_ stored: StoredFile) throws(TidemarkError) {
        current = stored
        metadata = []
        framer = EntryFramer()
        guard stored.role == .data, let namespace = stored.origin.flatMap({ Namespace($0) })
        else { return }
        switch NamespacePolicy.verdict(namespace) {
        case .skip, .views: return
        case .users: file = LoadedFile(stored.name, namespace, keepsOrder: true)
        case .replay:
            if target.resumed?.hasBase == true || target.hasFile(stored.name) { return }
            file = LoadedFile(
                stored.name, namespace, keepsOrder: catalog[namespace]?.isCapped == true)
            if target.isResumed, let collection = catalog[namespace] {
                // A part of it is there; which, nobody knows.
                try target.drop(namespace)
                try target.create(namespace, collection.options)
            }
        }
    }

    func write(_ bytes: RawSpan) throws(TidemarkError) {
        guard let current else { return }
        if current.role == .configuration {
            bytes.append(to: &metadata)
            return
        }
        guard let file else { return }
        try framer.take(Span<UInt8>(_bytes: bytes)) { (document) throws(TidemarkError) in
            if HeldUsers.isPlace(file.namespace) {
                let copy = document.array
                try file.check(copy, count: 1)
                target.users.put(BSONDocument(sound: copy), in: file.namespace)
                return
            }
            let isFull = count == Self.batchCount
            if isFull || waiting.count + document.count > LiveTarget.batchBytes { try send() }
            unsafe document.withUnsafeBufferPointer { unsafe waiting.append(contentsOf: $0) }
            count += 1
        }
    }

    private func send() throws(TidemarkError) {
        guard count > 0, let file else { return }
        try target.load(waiting, count: count, into: file.namespace, file)
        waiting = []
        waiting.reserveCapacity(LiveTarget.batchBytes)
        count = 0
    }

    func close() throws(TidemarkError) {
        guard let stored = current else { return }
        current = nil
        if stored.role == .configuration {
            return try make(StoredCollection(stored.origin, metadata))
        }
        guard let file else { return }
        guard framer.pending == 0 else {
            throw TidemarkError(
                .archiveDamaged, "\(stored.name) ends inside a document",
                remedy: "run `tidemark verify --deep`, and bring it back from a copy of the "
                    + "archive, or restore from another base backup")
        }
        try send()
        self.file = nil
        if !HeldUsers.isPlace(file.namespace) { try file.close(target.connection) }
    }

    private func make(_ stored: StoredCollection) throws(TidemarkError) {
        switch NamespacePolicy.verdict(stored.namespace) {
        case .skip, .views: return
        case .users: return catalog.add(stored.namespace, stored.collection)
        case .replay: break
        }
        switch stored.type {
        case "view": catalog.setView(stored.namespace, stored.options)
        case "timeseries":
            // An older base backup tells of the buckets in a file of their own.
            guard let buckets = stored.buckets else { return }
            try add(buckets, NamespacePolicy.buckets(of: stored.namespace))
        default: try add(stored.collection, stored.namespace)
        }
    }

    private func add(
        _ collection: ReplayCatalog.Collection, _ namespace: Namespace
    ) throws(TidemarkError) {
        // Once the base is whole, the replay may have renamed or dropped it.
        if target.resumed?.hasBase != true {
            try target.create(namespace, collection.options)
        }
        catalog.add(namespace, collection)
    }

    // MARK: the oplog

    var takesStream: Bool { true }

    private func begun() throws(TidemarkError) -> OplogReplay {
        if let replay { return replay }
        let backup = order.backup
        try target.finishBase(at: OpTime(ordinal: backup.start))
        let made = OplogReplay(
            target, catalog: catalog,
            rules: ReplayRules(
                after: OpTime(ordinal: backup.start),
                upTo: order.stop.map { OpTime(ordinal: $0.end) },
                fuzzyUntil: backup.end > backup.start ? OpTime(ordinal: backup.end) : nil,
                withUsers: true,
                // Neither is told before the base is whole.
                written: target.resumed?.position ?? .zero, ahead: target.resumed?.ahead ?? .zero))
        replay = made
        return made
    }

    func stream(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) {
        let replay = try begun()
        try entries.take(bytes, at: first) { (entry, _) throws(TidemarkError) in
            try replay.take(entry.array)
        }
    }

    func complete() throws(TidemarkError) {
        let replay = try begun()
        let reached = max(replay.report.reached, replay.now).ordinal
        try order.requireReached(max(reached, order.backup.start))
        try target.beginEnd(at: OpTime(ordinal: order.stop?.end ?? reached))
        try replay.finish()
        warnings += try target.users.restore(target.connection)
        try target.awaitWrites()
        warnings += target.notes
        let report = replay.report
        notes.append(
            "replayed \(report.entries) oplog entries up to \(report.reached), "
                + "as \(report.written) writes")
        misses = report.misses + (target.resumed?.misses ?? 0)
        if target.resumed?.repeats == true, !hasOrderedUpdates { warnings.append(Self.reordered) }
        if misses > 0 { warnings.append(told(report.firstMisses)) }
        if report.undecided > 0 {
            warnings.append("\(report.undecided) transactions were not decided at the target")
        }
        try target.markComplete(warnings, misses: misses)
    }

    private static let reordered =
        "this restore was interrupted amid writes: documents in which a field was removed and "
        + "added again just then may have their fields in another order than the source; their "
        + "values are the same; where the order matters, restore into an empty server in one go"

    /// From 5.0 on an update in the oplog says which fields it adds; before, and in change streams,
    /// only which it sets.
    private var hasOrderedUpdates: Bool {
        let major = order.backup.server.version.split(separator: ".").first.flatMap { Int($0) }
        return !isOfEvents && (major ?? 0) >= 5
    }

    private func told(_ first: [MissedDocument]) -> String {
        let places = first.map(\.description).joined(separator: ", ")
        let what =
            "\(misses) updates or deletions met no document, or another than they were made for"
            + (places.isEmpty ? "" : " (the first: \(places))")
        return isOfEvents
            ? what + ": change streams do not tell what convertToCapped and the like have copied"
            : what + ", although the base backup or the oplog must have made it"
    }

    /// Events do not tell everything that makes documents: there a miss proves nothing.
    private var isOfEvents: Bool { ChangeTimeline.isOne(order.timeline) }

    func conclude() throws(TidemarkError) {
        try target.conclude()
        guard misses > 0, !isOfEvents else { return }
        throw TidemarkError(
            .archiveDamaged,
            "the copy of \(order.source) is not what the source had: \(misses) updates or "
                + "deletions met no document, so the base backup or the oplog in the archive "
                + "lacks something",
            remedy: "what was restored is all there and runs; run `tidemark verify --deep`, and "
                + "restore from another base backup, or from a copy of the archive")
    }

    func start(port: UInt16?) throws(TidemarkError) -> RestoredServer {
        preconditionFailure("a live server runs already")
    }
}

extension RawSpan {
    func append(to array: inout [UInt8]) {
        unsafe withUnsafeBytes { unsafe array.append(contentsOf: $0) }
    }
}
