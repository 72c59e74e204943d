import Catalog
import Model
import Repository

/// The stretch that `export` writes, with everything that carries it.
struct ExportPlan {
    let planner: Planner
    let first: UInt64
    let last: UInt64
    /// Nil where the stretch begins at a place of the caller's choice.
    let backup: BaseBackupDescriptor?
    let chain: Chain

    init(
        _ request: ExportRequest, _ repository: ArchiveRepository, _ replayer: any Replayer
    ) throws(TidemarkError) {
        let snapshot = try CatalogReader(repository, replayer).read(request.source)
        let planner = try Planner(snapshot, target: request.end, timeline: request.timeline)
        let plan = try TargetResolver(planner, repository, replayer).resolve()
        guard let last = plan.stop?.end ?? plan.archiveEnd else {
            preconditionFailure("a plan without a stop knows the archive's end")
        }
        self.planner = planner
        self.last = last
        if let start = request.start {
            let from = try Planner(snapshot, target: start, timeline: planner.path.timeline)
            first = try Self.place(start, from, repository, replayer)
            backup = nil
        } else {
            first = plan.backup.start
            backup = plan.backup
        }
        guard first < last || backup != nil && first == last else {
            let style = snapshot.style
            throw TidemarkError(
                .usage,
                "nothing lies between --from (\(style.text(first))) and --to (\(style.text(last)))",
                remedy: "name a later --to, or an earlier --from")
        }
        let from = Position(timeline: planner.path.timeline(endingAt: first + 1), ordinal: first)
        var chain = snapshot.chain(on: planner.path, from: from, to: last)
        if plan.stop == nil, chain.end.ordinal < last {
            // The open segment has grown between the catalog and the search for its end.
            let now = try CatalogReader(repository, replayer).read(request.source)
            chain = now.chain(on: planner.path, from: from, to: last)
        }
        self.chain = chain
        if let hole = chain.hole { throw planner.refusal.broken(hole, before: backup) }
        guard chain.end.ordinal >= last else { throw planner.refusal.afterEnd() }
    }

    /// The edge that a target means. A position needs no base backup before it: what is exported
    /// need not be restorable.
    private static func place(
        _ target: RecoveryTarget, _ planner: Planner, _ repository: ArchiveRepository,
        _ replayer: any Replayer
    ) throws(TidemarkError) -> UInt64 {
        let snapshot = planner.snapshot
        let path = planner.path
        guard case .position(snapshot.style.scheme, let text) = target,
            let ordinal = snapshot.style.parse(text), ordinal < .max
        else {
            let plan = try TargetResolver(planner, repository, replayer).resolve()
            return plan.stop?.end ?? plan.archiveEnd ?? plan.backup.end
        }
        let start = Position(timeline: path.timeline(endingAt: ordinal), ordinal: ordinal)
        let chain = snapshot.chain(on: path, from: start, to: ordinal + 1)
        if let hole = chain.hole { throw planner.refusal.broken(hole, before: nil) }
        guard let segment = chain.segments.first, segment.range.first <= ordinal else {
            throw planner.refusal.afterEnd()
        }
        let locator = StopLocator(repository: repository, replayer: replayer, planner: planner)
        switch try locator.search(.position(ordinal), chain, from: 0) {
        case .stop(let stop): return stop.end
        case .absent(let last): return last?.end ?? segment.range.first
        // The stretch begins with the segment's first record.
        case .earlier: return segment.range.first
        }
    }
}
