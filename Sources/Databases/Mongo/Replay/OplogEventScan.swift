import Model

/// Finds what took much away at once: drop, dropDatabase, a rename over something, and the deletion
/// of many documents in one go.
final class OplogEventScan: EventScan {
    /// Fewer deletions in a row are everyday work.
    static let manyDocuments = 100

    /// Deletions that follow one another are counted over the segments' edges.
    let crossesSegments = true
    private let timeline: TimelineID
    private var entries = ArchivedEntries()
    /// The entry at hand, and the one before it; of events that share a time the one before all.
    private var at: UInt64?
    private var before: UInt64?
    private var run: Deletions?
    private var drops: Drops?

    /// Deletions from one collection with nothing else between.
    private struct Deletions {
        var namespace: Namespace
        var before: UInt64
        var count: Int
        var time: CommitTime?
    }

    /// Drops of collections of one database, and nothing else of it between. With these a server
    /// begins to drop a database, and tells that at the end: before that there is nothing left.
    private struct Drops {
        var database: String
        var before: UInt64
        var time: CommitTime?

        /// Seconds; who drops a collection by himself and the database later has dropped twice.
        private static let limit = 10.0

        func isOpen(at now: CommitTime?) -> Bool {
            guard let time, let now else { return false }
            return now.seconds(since: time) <= Self.limit
        }
    }

    init(_ timeline: TimelineID) { self.timeline = timeline }

    func index(_ entries: [TimeIndexEntry], state: String?) {}

    func take(
        _ bytes: RawSpan, at first: UInt64,
        _ found: (DestructiveEvent) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        try entries.take(bytes, at: first) { (bytes, head) throws(TidemarkError) in
            if head.ts.ordinal != at { before = at ?? first }
            at = head.ts.ordinal
            let before = before ?? first
            let time = head.wall.map { CommitTime(milliseconds: $0) }
            // The server splits only what carries documents.
            if drops?.isOpen(at: time) != true { drops = nil }
            let isAsked = head.kind == .delete || head.kind == .command || drops != nil
            guard isAsked, head.kind != .noop, !head.isContinued else {
                run = nil
                return
            }
            let entry: OplogEntry
            do throws(BSONFailure) {
                entry = try OplogEntry(bytes.array)
            } catch {
                throw error.error(
                    .archiveDamaged, in: "the archived oplog entry \(head.ts)",
                    remedy: "run `tidemark verify --deep`")
            }
            let earlier = follow(entry.change, before, time)
            if case .delete(let target, _) = entry.change {
                return try count(target.namespace, before, time, found)
            }
            run = nil
            guard let (action, place) = Self.action(entry.change) else { return }
            try found(
                DestructiveEvent(
                    before: Position(timeline: timeline, ordinal: earlier ?? before),
                    action: action, place: place, time: time))
        }
    }

    /// Keeps the drops that may lead to that of a database; of that, the place before them.
    private func follow(
        _ change: OplogChange, _ before: UInt64, _ time: CommitTime?
    ) -> UInt64? {
        let database: String
        switch change {
        case .insert(let target, _), .update(let target, _, _), .delete(let target, _),
            .command(let target, _):
            database = target.namespace.database
        case .noop, .bookkeeping, .unknown: return nil
        }
        let known = drops?.database == database ? drops?.before : nil
        switch change {
        case .command(_, .drop):
            drops = Drops(database: database, before: known ?? before, time: time)
            return nil
        case .command(_, .dropDatabase):
            drops = nil
            return known
        default:
            if known != nil { drops = nil }
            return nil
        }
    }

    /// Told as soon as there are many: whether more follow is not known yet.
    private func count(
        _ namespace: Namespace, _ before: UInt64, _ time: CommitTime?,
        _ found: (DestructiveEvent) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        guard NamespacePolicy.verdict(namespace) == .replay else { return }
        if run?.namespace != namespace {
            run = Deletions(namespace: namespace, before: before, count: 0, time: time)
        }
        run?.count += 1
        guard let run, run.count == Self.manyDocuments else { return }
        try found(
            DestructiveEvent(
                before: Position(timeline: timeline, ordinal: run.before),
                action: "deletion of \(run.count) documents or more",
                place: namespace.description, time: run.time))
    }

    private static func action(_ change: OplogChange) -> (String, String)? {
        guard case .command(let target, let command) = change else { return nil }
        let database = target.namespace.database
        switch command {
        case .drop(let name):
            let namespace = Namespace(database, name)
            // A temporary collection that an aggregation or a conversion leaves behind.
            guard NamespacePolicy.verdict(namespace) == .replay, !name.hasPrefix("tmp") else {
                return nil
            }
            return ("drop", namespace.description)
        case .dropDatabase: return ("dropDatabase", database)
        case .rename(let from, let to, true, _):
            return ("rename of \(from) over it", to.description)
        case .empty(let name): return ("emptycapped", "\(database).\(name)")
        default: return nil
        }
    }
}
