import Model

/// A live, empty server being filled: documents, then the oplog in our own code, then indexes and
/// views.
final class FilledServer: Restoration {
    private(set) var notes: [String] = []
    private let order: RestoreOrder
    private let target: LiveTarget
    private var catalog = ReplayCatalog()
    private var metadata: [UInt8] = []
    private var current: StoredFile?
    private var framer = EntryFramer()
    private var waiting: [BSONDocument] = []
    private var waitingBytes = 0
    private var replay: OplogReplay?
    private var entries = ArchivedEntries()
    private var users: [Namespace: Int] = [:]

    /// Documents that are sent together.
    private static let batchBytes = 8 << 20

    /// Connects and checks everything that can be checked without changing anything.
    init(_ order: RestoreOrder, server url: String) throws(TidemarkError) {
        self.order = order
        let configuration = try MongoConfiguration(source: order.source, url: url)
        target = try LiveTarget(configuration)
        notes += try target.check(order)
        if ChangeTimeline.isOne(order.timeline) { notes += ChangeTimeline.lacks }
    }

    func begin() throws(TidemarkError) {}

    // MARK: the base backup

    func open(_ file: StoredFile) throws(TidemarkError) {
        current = file
        metadata = []
        framer = EntryFramer()
    }

    func write(_ bytes: RawSpan) throws(TidemarkError) {
        guard let current else { return }
        if current.role == .configuration {
            bytes.append(to: &metadata)
            return
        }
        guard let namespace = current.origin.flatMap({ Namespace($0) }),
            NamespacePolicy.verdict(namespace) == .replay
        else { return }
        let span = Span<UInt8>(_bytes: bytes)
        try framer.take(span) { (document) throws(TidemarkError) in
            do throws(BSONFailure) {
                waiting.append(try BSONDocument(document.array))
            } catch {
                throw error.error(
                    .archiveDamaged, in: "a document of \(namespace) in the base backup",
                    remedy: "run `tidemark verify --deep`")
            }
            waitingBytes += document.count
            if waitingBytes >= Self.batchBytes { try send(to: namespace) }
        }
    }

    private func send(to namespace: Namespace) throws(TidemarkError) {
        try target.append(waiting, to: namespace)
        waiting = []
        waitingBytes = 0
    }

    func close() throws(TidemarkError) {
        guard let file = current else { return }
        current = nil
        if file.role == .configuration {
            return try make(StoredCollection(file.origin, metadata))
        }
        guard framer.pending == 0 else {
            throw TidemarkError(
                .archiveDamaged, "\(file.name) ends inside a document",
                remedy: "run `tidemark verify --deep`")
        }
        if let namespace = file.origin.flatMap({ Namespace($0) }), !waiting.isEmpty {
            try send(to: namespace)
        }
    }

    private func make(_ stored: StoredCollection) throws(TidemarkError) {
        switch NamespacePolicy.verdict(stored.namespace) {
        case .users:
            users[stored.namespace, default: 0] += 1
            return
        case .skip, .views: return
        case .replay: break
        }
        switch stored.type {
        case "view": catalog.setView(stored.namespace, stored.options)
        // Made with its buckets.
        case "timeseries": return
        default:
            try target.create(stored.namespace, stored.options)
            catalog.add(stored.namespace, stored.collection)
        }
    }

    // MARK: the oplog

    var takesStream: Bool { true }

    private var begun: OplogReplay {
        if let replay { return replay }
        let backup = order.backup
        let made = OplogReplay(
            target, catalog: catalog,
            rules: ReplayRules(
                after: OpTime(ordinal: backup.start),
                upTo: order.stop.map { OpTime(ordinal: $0.end) },
                fuzzyUntil: backup.end > backup.start ? OpTime(ordinal: backup.end) : nil))
        replay = made
        return made
    }

    func stream(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) {
        let replay = begun
        try entries.take(bytes, at: first) { (entry, _) throws(TidemarkError) in
            try replay.take(entry.array)
        }
    }

    func complete() throws(TidemarkError) {
        let replay = begun
        try order.requireReached(max(replay.report.reached.ordinal, order.backup.start))
        try replay.finish()
        let report = replay.report
        notes.append(
            "replayed \(report.entries) oplog entries up to \(report.reached), "
                + "as \(report.written) writes")
        if report.misses > 0 {
            notes.append(
                "\(report.misses) updates or deletions met no document although the base backup "
                    + "must have had it: run `tidemark verify --deep`, the archive may be damaged")
        }
        if report.undecided > 0 {
            notes.append("\(report.undecided) transactions were not decided at the target")
        }
        if !users.isEmpty {
            notes.append(
                "users and roles are in the archive and were not restored: "
                    + "take them from a restore into a folder")
        }
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
