import Catalog
package import Model
package import Platform
package import Repository
import Segments

/// Restores one source: plan, check, copy, and start if wanted. Blocking.
package struct Restore {
    private let repository: ArchiveRepository
    private let replayer: any Replayer
    private let clock: any TimeSource
    private let hooks: RestoreHooks

    /// The sidecar may seal a segment between listing and reading it; then planning starts again.
    private static let attempts = 5

    package init(
        _ repository: ArchiveRepository, _ replayer: any Replayer, clock: any TimeSource,
        hooks: RestoreHooks = RestoreHooks()
    ) {
        self.repository = repository
        self.replayer = replayer
        self.clock = clock
        self.hooks = hooks
    }

    /// What can be refused of several sources together. Writes nothing.
    package static func preflight(together requests: [CopyRequest]) throws(TidemarkError) {
        try DestinationGuard.checkApart(
            requests.map { (source: $0.source, place: $0.destination) })
        let started = requests.filter { $0.starts && $0.server == nil }
        guard started.count > 1, let port = started[0].port else { return }
        throw TidemarkError(
            .usage,
            "--port \(port) names one port for the servers of "
                + started.map(\.source.name).joined(separator: ", "),
            remedy: "leave --port out, so that each gets a free one, or restore them one by one "
                + "with --source")
    }

    /// What can be refused without reading the archive. Writes nothing.
    package static func preflight(_ request: CopyRequest) throws(TidemarkError) {
        guard request.server == nil else { return }
        let places = DestinationGuard(
            repository: request.repositoryFolder, dataDirectoryMarks: request.dataDirectoryMarks)
        for place in [request.destination] + request.relocations.values.sorted() {
            try places.check(place)
        }
        try Privileges.check(request)
        if request.starts, let port = request.port, !LoopbackPort.isFree(port) {
            throw TidemarkError(
                .usage, "port \(port) is in use on this machine",
                remedy: "choose another with --port, or leave it out for a free one")
        }
    }

    /// Makes the plan and checks that every object it needs is there. Writes nothing.
    package func plan(_ request: CopyRequest) throws(TidemarkError) -> RestorePlan {
        try Self.preflight(request)
        var attempt = 1
        while true {
            do throws(TidemarkError) {
                let snapshot = try CatalogReader(repository, replayer).read(request.source)
                let planner = try Planner(
                    snapshot, target: request.target, timeline: request.timeline)
                let branches = try BranchReader(
                    repository: repository, replayer: replayer, snapshot: snapshot
                ).branches(off: planner.path)
                if request.timeline == nil { try Self.checkOneHistory(request, branches) }
                var plan = try TargetResolver(planner, repository, replayer).resolve()
                plan.timelines = Set(snapshot.timelines)
                // A new one is told there first.
                if let marked = snapshot.watermark?.timeline { plan.timelines.insert(marked) }
                plan.warn(of: branches)
                plan.warnings += replayer.omissions(
                    of: plan.backup.server, on: plan.timeline)
                try checkEnd(plan, snapshot)
                try checkObjects(plan)
                try checkSegments(plan)
                return plan
            } catch let error where error.code == .notFound && attempt < Self.attempts {
                attempt += 1
            }
        }
    }

    /// A time at which two histories have a claim is the operator's to decide.
    private static func checkOneHistory(
        _ request: CopyRequest, _ branches: [AbandonedBranch]
    ) throws(TidemarkError) {
        guard case .time(let time) = request.target else { return }
        if let branch = branches.last(where: { $0.claims(time) }) {
            throw branch.refusal(of: time, source: request.source)
        }
    }

    /// Makes the plan, and checks archive, destination, programs or live server: whatever can be
    /// refused is refused here. Writes nothing.
    package func prepare(_ request: CopyRequest) throws(TidemarkError) -> PreparedRestore {
        let begun = clock.monotonic()
        let plan = try plan(request)
        let copy = try replayer.restoration(try order(request, plan))
        return PreparedRestore(
            request: request, plan: plan, notices: copy.notices,
            seconds: clock.monotonic().seconds(since: begun))
    }

    /// Makes the folders of all, and becomes the user that owns them, before the first of them
    /// runs. Returns who may still write to the archive; nil where that is whoever restores.
    package static func settle(
        _ prepared: [PreparedRestore]
    ) throws(TidemarkError) -> ArchiveOwner? {
        try Privileges.settle(prepared.map(\.request).filter { $0.server == nil })
    }

    /// Restores; the copy is durable and startable when this returns, and runs if that was asked.
    package func run(_ prepared: PreparedRestore) throws(TidemarkError) -> RestoreOutcome {
        let begun = clock.monotonic()
        let request = prepared.request
        let plan = prepared.plan
        // The destination may have changed while other sources were restored.
        let copy = try replayer.restoration(try order(request, plan))
        hooks.planned(plan)
        let planned = clock.monotonic()
        if !copy.isComplete { try lay(copy, plan) }
        let copied = clock.monotonic()
        var outcome = RestoreOutcome(
            plan: plan, notices: copy.notices, server: nil,
            planSeconds: prepared.seconds + planned.seconds(since: begun),
            copySeconds: copied.seconds(since: planned), copiesStream: copy.takesStream,
            recoverySeconds: nil
        ) { () throws(TidemarkError) in try copy.conclude() }
        // A live server runs already.
        guard request.starts, request.server == nil else { return outcome }
        let server = try started(copy, request)
        outcome.notices = copy.notices
        outcome.recoverySeconds = clock.monotonic().seconds(since: copied)
        outcome.server = server
        try checkReached(server, plan)
        return outcome
    }

    private func lay(_ copy: any Restoration, _ plan: RestorePlan) throws(TidemarkError) {
        do throws(TidemarkError) {
            try copy.begin()
            let total = plan.backup.bytes
            let pipeline = CopyPipeline(repository: repository, backup: plan.backup) { [hooks] in
                hooks.copied($0, total)
            }
            try pipeline.run(into: copy)
            if copy.takesStream { try StreamPour(repository, plan, replayer).run(into: copy) }
            try copy.complete()
        } catch {
            throw copy.failed(error)
        }
    }

    /// A server that does not start leaves a whole copy behind: restoring again would not help.
    private func started(
        _ copy: any Restoration, _ request: CopyRequest
    ) throws(TidemarkError) -> RestoredServer {
        do throws(TidemarkError) {
            return try copy.start(port: request.port)
        } catch {
            throw TidemarkError(
                error.code, error.message,
                remedy: error.remedy
                    + "; the copy in \(request.destination) is whole, and need not "
                    + "be restored again", cause: error.cause)
        }
    }

    private func order(
        _ request: CopyRequest, _ plan: RestorePlan
    ) throws(TidemarkError) -> RestoreOrder {
        let style = replayer.style(segmentBytes: plan.descriptor.segmentBytes)
        let stop = stop(request, plan)
        var order = RestoreOrder(
            source: request.source, descriptor: plan.descriptor, backup: plan.backup,
            destination: request.destination, relocations: request.relocations,
            timeline: plan.timeline, stop: stop,
            fetchCommand: request.fetchCommand(until: stop.map { style.text($0.end) }),
            programs: request.programFolders, force: request.force, starts: request.starts,
            expiry: try expiry(request.expiry, plan), server: request.server,
            runsAs: request.runsAs)
        order.origin = ArchivedServer(timelines: plan.timelines, url: request.sourceURL)
        order.leaves = hooks.leaves
        return order
    }

    /// A live server cannot be cut back afterwards, so it always gets an exact stop.
    private func stop(_ request: CopyRequest, _ plan: RestorePlan) -> RecoveryStop? {
        guard request.server != nil, plan.stop == nil, let end = plan.archiveEnd else {
            return plan.stop
        }
        return RecoveryStop(last: end, end: end, time: nil)
    }

    private func expiry(
        _ policy: ExpiryPolicy, _ plan: RestorePlan
    ) throws(TidemarkError) -> ExpiryOrder {
        switch policy {
        case .keep: return .keep
        case .persist: return .persist
        case .shift:
            guard let moment = plan.reaches ?? plan.stop?.time else {
                throw TidemarkError(
                    .usage, "the archive does not know at which time \(plan.target) was",
                    remedy: "name a time with --to, or use --expiry keep or persist")
            }
            return .shift(from: moment, now: clock.wall())
        }
    }

    /// A server that recovers to the archive's end asks for the segment behind it. What it would be
    /// told then is told now, before anything is written.
    private func checkEnd(
        _ plan: RestorePlan, _ snapshot: CatalogSnapshot
    ) throws(TidemarkError) {
        let bytes = plan.descriptor.segmentBytes
        guard plan.stop == nil, let last = plan.chain.segments.last, let end = plan.archiveEnd
        else { return }
        let next = PositionRange(
            timeline: plan.chain.end.timeline, first: last.range.last,
            last: last.range.last + bytes)
        let style = snapshot.style
        // A stream that is poured into the copy ends where it ends.
        guard
            case .segment = replayer.request(style.segmentName(next), segmentBytes: bytes),
            case .missing(let why) = FetchAnswer.decide(next, snapshot)
        else { return }
        throw TidemarkError(
            .archiveIncomplete,
            "the archive of \(snapshot.source) may not be whole up to its end: "
                + "\(style.segmentName(next)) is missing: \(why)",
            remedy: "bring the missing files back from a copy of the archive; `--to "
                + "\(style.scheme):\(style.text(end))` restores what there is")
    }

    /// Segments are in the listing the plan was made from; the base backup's files are looked up.
    private func checkObjects(_ plan: RestorePlan) throws(TidemarkError) {
        let folder = Layout.backup(plan.backup.source, plan.backup.id)
        for file in plan.backup.files {
            let key = folder / file.name
            guard let size = try repository.store.size(key) else {
                throw TidemarkError(
                    .archiveIncomplete, "\(key) of the base backup is missing from the archive",
                    remedy: StoredFileReader.remedy(folder))
            }
            guard size == file.storedBytes else {
                throw TidemarkError(
                    .archiveDamaged, "\(key) has \(size) bytes, \(file.storedBytes) were stored",
                    remedy: StoredFileReader.remedy(folder))
            }
        }
    }

    /// Footers read at once.
    private static let footerReaders = 8

    /// The end of every sealed segment is read, which one that was cut short has lost. Open ones
    /// were read for the plan.
    private func checkSegments(_ plan: RestorePlan) throws(TidemarkError) {
        let store = repository.store
        let descriptor = plan.descriptor
        _ = try ParallelWork.map(
            plan.chain.segments.filter { $0.state == .sealed }, threads: Self.footerReaders,
            tick: { () throws(TidemarkError) in }
        ) { (segment) throws(TidemarkError) in
            do throws(TidemarkError) {
                let footer = try SegmentReader.footer(store, segment.key)
                guard let what = segment.contradiction(footer, of: descriptor) else { return }
                throw TidemarkError(.archiveDamaged, "\(segment.key) is damaged: \(what)")
            } catch let error where error.code == .archiveDamaged {
                throw TidemarkError(
                    .archiveDamaged, error.message,
                    remedy: "bring it back from a copy of the archive, or take a target before it "
                        + "(`tidemark list`)", cause: error.cause)
            }
        }
    }

    /// A server that recovered to another place than the plan's is not what was asked for.
    private func checkReached(
        _ server: RestoredServer, _ plan: RestorePlan
    ) throws(TidemarkError) {
        let style = replayer.style(segmentBytes: plan.descriptor.segmentBytes)
        let reached = server.reached.ordinal
        let isRight =
            if let stop = plan.stop { reached == stop.end } else { reached >= plan.archiveEnd ?? 0 }
        if isRight { return }
        throw TidemarkError(
            .failed,
            "the server recovered to \(style.text(reached)) instead of "
                + style.text(plan.stop?.end ?? plan.archiveEnd ?? 0),
            remedy: "it still runs (\(server.url)); do not use it before you know why: run "
                + "`tidemark verify`")
    }
}
