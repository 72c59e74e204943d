import Model

/// Finds what took much away at once: drop, dropDatabase, a rename over something, and the deletion
/// of many documents in one go, by statements or by a transaction.
final class OplogEventScan: EventScan {
    /// Deletions that follow one another are counted over the segments' edges.
    let crossesSegments = true
    /// A collection that is never left alone has one run of deletions, however long.
    let dependsOnPast = true
    private let timeline: TimelineID
    private var entries = ArchivedEntries()
    /// The entry at hand, and the one before it; of events that share a time the one before all.
    private var at: UInt64?
    private var before: UInt64?
    private var runs = DeletionRuns()
    private var undecided = UndecidedDeletions()
    private var drops: Drops?

    /// The server nests `applyOps` no deeper (`ApplyOps::kMaxDepth`).
    private static let depth = 10

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

    /// What one entry takes away.
    private struct Loss {
        var deletions: [Namespace: Int] = [:]
        /// Action, place, and where it began if that was before the entry.
        var others: [(action: String, place: String, earlier: UInt64?)] = []
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
            if drops?.isOpen(at: time) != true { drops = nil }
            let isAsked = head.kind == .delete || head.kind == .command || drops != nil
            // The server splits only what carries documents.
            guard isAsked, head.kind != .noop, !head.isContinued else { return }
            let entry: OplogEntry
            var loss = Loss()
            do throws(BSONFailure) {
                entry = try OplogEntry(bytes.array)
                try look(at: entry.change, before, time, &loss, depth: 0)
            } catch {
                throw error.error(
                    .archiveDamaged, in: "the archived oplog entry \(head.ts)",
                    remedy: "run `tidemark verify --deep`")
            }
            for other in loss.others {
                try found(event(other.action, other.place, other.earlier ?? before, time))
            }
            let decided = undecided.take(entry, loss.deletions) ?? [:]
            for (namespace, count) in decided.sorted(by: { $0.key < $1.key }) {
                let run = runs.take(count, from: namespace, before: before, head.ts, time)
                // Told as soon as there are many: whether more follow is not known yet.
                guard let run else { continue }
                try found(
                    event(
                        "deletion of \(DeletionRuns.many) documents or more",
                        namespace.description, run.before, run.time))
            }
        }
    }

    private func event(
        _ action: String, _ place: String, _ before: UInt64, _ time: CommitTime?
    ) -> DestructiveEvent {
        DestructiveEvent(
            before: Position(timeline: timeline, ordinal: before), action: action, place: place,
            time: time)
    }

    private func look(
        at change: OplogChange, _ before: UInt64, _ time: CommitTime?, _ loss: inout Loss,
        depth: Int
    ) throws(BSONFailure) {
        let earlier = follow(change, before, time)
        switch change {
        case .delete(let target, _):
            guard NamespacePolicy.verdict(target.namespace) == .replay else { return }
            loss.deletions[target.namespace, default: 0] += 1
        case .command(_, .applyOps(let ops)):
            guard depth < Self.depth else { return }
            for operation in ops.operations {
                try look(at: OplogChange(operation), before, time, &loss, depth: depth + 1)
            }
        default:
            guard let (action, place) = Self.action(change) else { return }
            loss.others.append((action, place, earlier))
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
        let isSame = drops?.database.utf8.elementsEqual(database.utf8) == true
        let known = isSame ? drops?.before : nil
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

    private static func action(_ change: OplogChange) -> (String, String)? {
        guard case .command(let target, let command) = change else { return nil }
        let database = target.namespace.database
        switch command {
        case .drop(let name):
            let namespace = Namespace(database, name)
            // A temporary collection that an aggregation or a conversion leaves behind.
            guard NamespacePolicy.verdict(namespace) == .replay, !name.begins(with: "tmp") else {
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
