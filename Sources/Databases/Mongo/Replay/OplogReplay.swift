package import Model

/// Brings a copy forward, entry by entry, in its own code: never by `applyOps`, whose meaning
/// changes from version to version and which takes one round trip for each.
///
/// Writes are gathered per collection (`WriteWindow`), so that of many changes to a document one
/// reaches the target. While the target writes what was gathered, more is: nothing else is asked of
/// it before that is done, nor is it marked. A command on a collection ends its window. Indexes are
/// kept in the catalog and built when everything is written; so are views. Anything that is not
/// understood stops the replay: it is better to have no copy than one that lacks something.
package final class OplogReplay {
    package internal(set) var report = ReplayReport()
    package internal(set) var catalog: ReplayCatalog
    let live: any ReplayTarget
    private let muted: MutedTarget
    let rules: ReplayRules
    private var transactions: TransactionAssembler
    var windows: [Namespace: WriteWindow] = [:]
    var held = 0
    var begun: BegunWrites?
    /// Collections that a fuzzy base no longer had, since others have taken their names.
    var gone: Set<CollectionUUID> = []
    /// The entry at hand.
    private(set) var now = OpTime.zero
    private var parts = EventAssembler()
    /// Change streams do not tell all that makes collections.
    private(set) var isOfEvents = false

    /// What the target may still be writing.
    struct BegunWrites {
        /// Whether documents that are missing were to be expected.
        var expectsMisses: Bool
        /// Where they may be.
        var missable: [MissedDocument]
        /// To be told when it is done.
        var mark: ReplayReport?
    }

    /// Bytes of writes that are gathered before they are written: the fewer a target that has
    /// nothing else to do, the more while it is busy, since then more fall upon the same document.
    static let windowBytes = 2 << 20...16 << 20
    /// The server refuses deeper ones (`ApplyOps::kMaxDepth`).
    private static let depth = 10

    package convenience init(
        _ target: any ReplayTarget, catalog: ReplayCatalog, rules: ReplayRules
    ) {
        self.init(target, catalog: catalog, rules: rules, transactions: TransactionAssembler())
    }

    init(
        _ target: any ReplayTarget, catalog: ReplayCatalog, rules: ReplayRules,
        transactions: TransactionAssembler
    ) {
        self.transactions = transactions
        live = target
        muted = MutedTarget(target)
        self.catalog = catalog
        self.rules = rules
    }

    /// With nothing under way. What an interrupted replay has written already is not written again.
    var target: any ReplayTarget {
        get throws(TidemarkError) {
            try settle()
            return isWritten ? muted : live
        }
    }
    var isWritten: Bool { now <= rules.written }
    /// Until the first mark behind it that has come to what the interrupted replay had begun, the
    /// target may be ahead of the entries.
    private var mayBeAhead: Bool {
        rules.written > .zero && (marked <= rules.written || marked < rules.ahead)
    }
    var marked = OpTime.zero
    /// Nothing that follows has this time or an earlier one.
    var settled = OpTime.zero
    /// Something was done that cannot be done twice: the target must know when it goes on.
    var needsMark = false

    /// Whether everything up to the target has been taken.
    package var isDone: Bool { rules.upTo.map { now >= $0 } ?? false }

    /// The next entry, in order; those outside the rules change nothing.
    package func take(_ bytes: [UInt8]) throws(TidemarkError) {
        let entry: OplogEntry
        do {
            guard let whole = try parts.take(BSONDocument(bytes)) else { return }
            entry = try OplogEntry(whole)
        } catch {
            throw error.error(
                .archiveDamaged, in: "the oplog entry behind \(now)",
                remedy: "run `tidemark verify --deep`, and bring the segment back from a copy of "
                    + "the archive")
        }
        try take(entry)
    }

    private func take(_ entry: OplogEntry) throws(TidemarkError) {
        if let upTo = rules.upTo, entry.ts > upTo { return }
        isOfEvents = entry.isEvent
        guard entry.ts > now || isOfEvents && entry.ts == now else {
            throw TidemarkError(
                .archiveDamaged, "the oplog entry \(entry.ts) comes behind \(now)",
                remedy: "run `tidemark verify --deep` to find out which segment is wrong")
        }
        // What is gathered still belongs to the time in which misses are to be expected.
        if isFuzzy, let until = rules.fuzzyUntil, entry.ts > until { try flush() }
        if isWritten, entry.ts > rules.written { try flush() }
        if entry.ts > now {
            settled = report.reached
            if needsMark { try flush() }
        }
        now = entry.ts
        let isBefore = entry.ts <= rules.after
        if let operations = try transactions.take(entry, isBefore: isBefore) {
            guard !isBefore else { return }
            try operations.each { (operation) throws(TidemarkError) in
                try unroll([operation], depth: 1)
            }
        } else {
            guard !isBefore else { return }
            try apply(entry.change, entry.document, depth: 0)
        }
        report.entries += 1
        report.reached = entry.ts
    }

    /// Writes what is gathered, and then what had to wait: indexes and views.
    package func finish() throws(TidemarkError) {
        settled = report.reached
        try flush()
        // What comes now can be done again.
        now = max(now, OpTime(ordinal: rules.written.ordinal + 1))
        report.undecided = transactions.open
        for (namespace, collection) in catalog.collections where collection.isTemporary {
            try target.drop(namespace)
            catalog.remove(namespace)
        }
        for (namespace, collection) in catalog.collections.sorted(by: { $0.key < $1.key }) {
            let indexes = collection.indexes.filter { !$0.isOfID }
            if !indexes.isEmpty { try target.createIndexes(indexes, on: namespace) }
        }
        for (namespace, options) in catalog.views.sorted(by: { $0.key < $1.key }) {
            // The view of a time series is made with its buckets.
            if NamespacePolicy.isTimeSeries(options) { continue }
            try target.createView(namespace, options)
        }
    }

    // MARK: operations

    private func unroll(_ operations: [BSONDocument], depth: Int) throws(TidemarkError) {
        for operation in operations {
            let change: OplogChange
            do {
                change = try OplogChange(operation)
            } catch {
                throw error.error(
                    .archiveDamaged, in: "an operation of the entry \(now)",
                    remedy: "run `tidemark verify --deep`")
            }
            try apply(change, operation, depth: depth)
        }
    }

    private func apply(
        _ change: OplogChange, _ document: BSONDocument, depth: Int
    ) throws(TidemarkError) {
        report.operations += 1
        switch change {
        case .noop, .bookkeeping: return
        case .insert(let target, let document):
            try write(target) { (window) throws(TidemarkError) in
                window.insert(try self.id(document), document)
            }
        case .update(let target, let key, let form):
            try write(target) { (window) throws(TidemarkError) in
                let id = try self.id(key)
                let before = window.misses
                window.update(id, form, size: document.bytes.count)
                if window.misses > before {
                    self.name([.init(namespace: target.namespace, id: id)])
                }
            }
        case .delete(let target, let key):
            try write(target) { (window) throws(TidemarkError) in
                let id = try self.id(key)
                let before = window.misses
                window.delete(id)
                if window.misses > before {
                    self.name([.init(namespace: target.namespace, id: id)])
                }
            }
        case .command(_, .applyOps(let ops)):
            guard depth < Self.depth else { throw unknown("applyOps inside applyOps", document) }
            try unroll(ops.operations, depth: depth + 1)
        case .command(let target, let command): try run(command, target, document)
        case .unknown(let op): throw unknown("op \(op)", document)
        }
    }

    private func id(_ document: BSONDocument) throws(TidemarkError) -> BSONValue {
        guard let id = document["_id"] else { throw unknown("a write without _id", document) }
        return id
    }

    func unknown(_ what: String, _ document: BSONDocument) -> TidemarkError {
        TidemarkError(
            .failed,
            "the oplog entry \(now) has \(what), which this version does not know: "
                + document.text(limit: 400),
            remedy: "choose a target before \(now), or use a newer tidemark; `tidemark export` "
                + "gives the entries as they are")
    }

    // MARK: windows

    private func write(
        _ place: OplogChange.Target,
        _ body: (inout WriteWindow) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        guard let namespace = try destination(place) else { return }
        var window = windows.removeValue(forKey: namespace) ?? window(of: namespace)
        let before = window.bytes
        try body(&window)
        held += window.bytes - before
        windows[namespace] = window
        // What was under way is written as one again, or as what it was a part of: only then does
        // what is there of a capped collection tell how much of it was.
        guard now > rules.ahead || held >= 2 * Self.windowBytes.upperBound else { return }
        guard held >= Self.windowBytes.lowerBound else { return }
        if held >= Self.windowBytes.upperBound || live.wantsMore { try handOver() }
    }

    /// Options may have a say in what an update makes of a document; a collection that is given
    /// some has its window ended before.
    private func window(of namespace: Namespace) -> WriteWindow {
        let isPlain =
            catalog[namespace]?.options.isEmpty == true
            && !namespace.collection.begins(with: "system.")
        return WriteWindow(takesDirect: isPlain && live.takesDirectUpdates)
    }

    /// Where a write goes; nil when it is not replayed.
    private func destination(
        _ place: OplogChange.Target
    ) throws(TidemarkError) -> Namespace? {
        switch NamespacePolicy.verdict(place.namespace) {
        case .skip: return nil
        case .users where !rules.withUsers: return nil
        case .views: return place.namespace
        case .replay, .users: break
        }
        guard let namespace = resolve(place) else { return nil }
        if catalog[namespace] == nil {
            // A base that was read while this collection came or went.
            guard isFuzzy || isOfEvents else {
                throw TidemarkError(
                    .archiveDamaged,
                    "the entry \(now) writes to \(namespace), which neither the base backup nor "
                        + "the oplog has made",
                    remedy: "run `tidemark verify --deep`, or restore from another base backup")
            }
            try create(namespace, place.uuid, .empty)
        }
        // It is in the target; what is held in memory is gathered again.
        if isWritten, NamespacePolicy.verdict(namespace) == .replay { return nil }
        return namespace
    }

    /// A collection keeps its UUID when it is renamed: of a base that was read later than the entry
    /// was written it may have its newer name already.
    func resolve(_ place: OplogChange.Target) -> Namespace? {
        guard let uuid = place.uuid else { return place.namespace }
        if gone.contains(uuid) { return nil }
        return catalog.name(of: uuid) ?? place.namespace
    }

    var isFuzzy: Bool { rules.fuzzyUntil.map { now <= $0 } ?? false }

    var expectsMisses: Bool { isFuzzy || mayBeAhead }

    /// Documents that a write was made for and that were not there.
    func name(_ missed: @autoclosure () -> [MissedDocument]) {
        if !expectsMisses { report.name(missed()) }
    }

    func count(misses: Int) { report.count(misses, areExpected: expectsMisses) }
}
