import Catalog
import Glibc
package import Model
import Platform
import Recovery
import Repository

/// `restore`: plans, checks that everything is there, writes, and starts the server if wanted.
package struct RestoreOperation: Sendable {
    private let configuration: Configuration
    private let request: RestoreRequest
    private let progress: any ProgressObserver
    private let leaves: @Sendable (String) -> Void
    private let time = SystemTimeSource()

    /// - Parameter leaves: hears, each time it changes, what is to be said when a signal ends the
    ///   process: one line.
    package init(
        _ configuration: Configuration, _ request: RestoreRequest, progress: any ProgressObserver,
        leaves: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.request = request
        self.progress = progress
        self.leaves = leaves
    }

    /// Plans and checks every source before the first byte of any is written.
    ///
    /// - Parameter finished: hears of each source as soon as it is done: what follows may fail.
    /// - Returns: what was restored; to be concluded once it has been told.
    package func run(
        finished: (RestoredSource) -> Void = { _ in }
    ) throws(TidemarkError) -> CompletedRestore {
        leaves(RestoreOrderliness.interrupted(nil, done: [], rest: []))
        let repository = try configuration.repository.archive()
        try repository.open()
        let prepared = try prepare(try chosen(repository), repository)
        if request.isDryRun {
            let plans = prepared.map {
                view($0.plan, $0.request, $0.notices, estimate($0, repository))
            }
            return CompletedRestore(report: RestoreReport(sources: plans))
        }
        let owner = try Restore.settle(prepared)
        var done = CompletedRestore(report: RestoreReport(sources: []))
        for (index, one) in prepared.enumerated() {
            let rest = prepared[(index + 1)...].map(\.request.source)
            let before = done.report.sources.map(\.name)
            let tell = { @Sendable [leaves] (what: String) in
                let left = (one.request.source, what)
                leaves(RestoreOrderliness.interrupted(left, done: before, rest: rest))
            }
            do throws(TidemarkError) {
                let (source, conclude) = try restore(one, repository, owner, tell)
                done.add(source, conclude)
                let names = done.report.sources.map(\.name)
                leaves(RestoreOrderliness.interrupted(nil, done: names, rest: rest))
            } catch {
                // They have been told. One that this fails for is found whole the next time.
                try? done.conclude()
                throw RestoreOrderliness.unfinished(
                    error, done: done.report.sources.map(\.name), rest: rest)
            }
            finished(done.report.sources[index])
        }
        return done
    }

    /// Of all of them first, so that a refused one is found before another has been written.
    private func prepare(
        _ sources: [SourceID], _ repository: ArchiveRepository
    ) throws(TidemarkError) -> [PreparedRestore] {
        var orders: [CopyRequest] = []
        for source in sources {
            try checkPlace(source, repository)
            orders.append(try order(source, try destination(source)))
        }
        let servers = sources.compactMap { source in
            if case .server(let url)? = request.places[source] { (source, url) } else { nil }
        }
        if let refusal = RestoreOrderliness.refusal(of: servers) { throw refusal }
        try placeTimeline(&orders, repository)
        try leaveUnstarted(&orders, repository)
        try Restore.preflight(together: orders)
        for order in orders { try Restore.preflight(order) }
        var prepared: [PreparedRestore] = []
        var refused: [(source: SourceID, error: TidemarkError)] = []
        for order in orders {
            do throws(TidemarkError) {
                prepared.append(try restore(order.source, repository).prepare(order))
            } catch {
                guard RestoreOrderliness.isOfOneSource(request.target) else { throw error }
                refused.append((order.source, error))
            }
        }
        guard let first = refused.first else { return prepared }
        throw RestoreOrderliness.refusal(
            of: request.target, first.error, found: prepared.map(\.request.source))
    }

    /// Of several sources `--timeline` is told to those that have it: the others go along the
    /// history that they are on. One that none has is a mistake.
    private func placeTimeline(
        _ orders: inout [CopyRequest], _ repository: ArchiveRepository
    ) throws(TidemarkError) {
        guard let timeline = request.timeline, orders.count > 1 else { return }
        var others: [Int] = []
        for (place, order) in orders.enumerated() {
            // One that the archive does not have is refused where it is planned.
            guard let kind = try repository.descriptor(order.source)?.kind else { continue }
            let snapshot = try CatalogReader(repository, try Rooms.replayer(kind)).read(
                order.source, withCommits: false)
            if !snapshot.knows(timeline) { others.append(place) }
        }
        guard others.count < orders.count else {
            throw TidemarkError(
                .targetOutsideWindow,
                "none of \(orders.map(\.source.name).joined(separator: ", ")) has a timeline "
                    + "\(timeline) in the archive",
                remedy: "`tidemark list` names the timelines of each")
        }
        for place in others { orders[place].timeline = nil }
    }

    /// A URL is a place for a source whose server can be filled, and of its kind alone.
    private func checkPlace(
        _ source: SourceID, _ repository: ArchiveRepository
    ) throws(TidemarkError) {
        // One that the archive does not have is refused where it is planned.
        guard case .server(let url)? = request.places[source],
            let kind = try repository.descriptor(source)?.kind
        else { return }
        if let refusal = RestoreOrderliness.refusal(of: url, for: source, kind) { throw refusal }
    }

    /// Those are started that can be, and the others are written all the same.
    private func leaveUnstarted(
        _ orders: inout [CopyRequest], _ repository: ArchiveRepository
    ) throws(TidemarkError) {
        for place in orders.indices where orders[place].starts && orders[place].server == nil {
            if try unstartable(orders[place].source, repository) != nil {
                orders[place].starts = false
            }
        }
    }

    private func unstartable(
        _ source: SourceID, _ repository: ArchiveRepository
    ) throws(TidemarkError) -> String? {
        // One that the archive does not have is refused where it is planned.
        guard let descriptor = try repository.descriptor(source) else { return nil }
        return try Rooms.replayer(descriptor.kind).unstartable
    }

    private func restore(
        _ source: SourceID, _ repository: ArchiveRepository,
        _ leaves: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(TidemarkError) -> Restore {
        guard let descriptor = try repository.descriptor(source) else {
            throw TidemarkError(
                .configuration, "the archive at \(repository.store.url) has no source \(source)",
                remedy: "`tidemark list` shows what it has")
        }
        let progress = progress
        let hooks = RestoreHooks(
            planned: { plan in
                progress.began("restoring \(source)", total: plan.backup.bytes)
            },
            copied: { bytes, _ in progress.advanced(to: bytes) }, leaves: leaves)
        return Restore(
            repository, try Rooms.replayer(descriptor.kind), clock: time, hooks: hooks)
    }

    /// The sources named; else those that have a place; else all of the archive.
    private func chosen(_ repository: ArchiveRepository) throws(TidemarkError) -> [SourceID] {
        if !request.sources.isEmpty { return request.sources }
        if request.folder == nil { return request.places.keys.sorted() }
        let configured = configuration.sources.map(\.name)
        if !configured.isEmpty { return configured }
        let archived = try repository.sources().map(\.source)
        guard !archived.isEmpty else {
            throw TidemarkError(
                .targetOutsideWindow, "the archive at \(repository.store.url) is empty",
                remedy: "`tidemark run` fills it")
        }
        return archived
    }

    private func restore(
        _ prepared: PreparedRestore, _ repository: ArchiveRepository, _ owner: ArchiveOwner?,
        _ leaves: @escaping @Sendable (String) -> Void
    ) throws(TidemarkError) -> (RestoredSource, conclude: CompletedRestore.Conclusion) {
        let order = prepared.request
        let source = order.source
        var isDone = false
        defer { progress.ended(isDone: isDone) }
        let estimate = estimate(prepared, repository)
        let outcome = try restore(source, repository, leaves).run(prepared)
        isDone = true
        var view = view(outcome.plan, order, outcome.notices, estimate)
        view.url = outcome.server.map { access($0.url, as: source) }
        view.rtoSeconds = outcome.server == nil ? nil : outcome.seconds
        view.planSeconds = outcome.planSeconds
        view.copySeconds = outcome.copySeconds
        view.recoverySeconds = outcome.recoverySeconds
        // A live server is filled by other means than a copy is laid down.
        if order.server == nil { view.warnings += keep(outcome, repository, owner) }
        return (view, outcome.conclude)
    }

    /// Keeps how long it took, for the next one's estimate. Returns what to tell when that fails:
    /// the restore itself has not.
    private func keep(
        _ outcome: RestoreOutcome, _ repository: ArchiveRepository, _ owner: ArchiveOwner?
    ) -> [String] {
        let descriptor = outcome.plan.descriptor
        let measured = outcome.measurement(
            at: time.wall(), countsBytes: Rooms.style(descriptor).countsBytes)
        let note = { () throws(TidemarkError) in
            try repository.noteRestore(descriptor.source, measured)
        }
        do throws(TidemarkError) {
            if let owner { try owner.act(note) } else { try note() }
            return []
        } catch {
            return ["how long it took could not be kept in the archive: \(error.message)"]
        }
    }

    /// The URL of a started copy, with the role and database that the source's own URL names: they
    /// exist in the copy. Never with its password.
    private func access(_ url: String, as source: SourceID) -> String {
        let known = configuration.sources.first { $0.name == source }?.url
        // Of the others the server's own URL is enough.
        guard let known, known.kind == .postgres, let scheme = url.firstRange(of: "://"),
            let slash = url.lastIndex(of: "/")
        else { return url }
        let user = known.user.isEmpty ? "" : known.user + "@"
        let place = url[scheme.upperBound..<slash]
        let database =
            known.database.isEmpty ? String(url[url.index(after: slash)...]) : known.database
        return url[..<scheme.upperBound] + user + place + "/" + database
    }

    private func order(
        _ source: SourceID, _ destination: String
    ) throws(TidemarkError) -> CopyRequest {
        var order = CopyRequest(
            source: source, target: request.target, destination: destination,
            repositoryURL: configuration.repository.url.description,
            repositoryFolder: configuration.repository.folder, program: try OwnProgram.path(),
            timeline: request.timeline,
            relocations: request.tablespaces, programFolders: request.programs,
            force: request.force, starts: request.starts, port: request.port, user: request.user,
            expiry: request.expiry, server: server(source),
            runsAs: UserIdentity.isRoot ? request.user : nil,
            dataDirectoryMarks: try Rooms.dataDirectoryMarks())
        order.sourceURL = configuration.sources.first { $0.name == source }?.url.secret.reveal()
        return order
    }

    /// Absolute, since the copy's own settings and the server's start name it.
    private func destination(_ source: SourceID) throws(TidemarkError) -> String {
        switch request.places[source] {
        case .directory(let path): return try OwnProgram.absolute(path)
        case .server(let url): return url.redacted
        case nil: break
        }
        guard let folder = request.folder else {
            throw TidemarkError(
                .usage, "--into names no place for \(source)",
                remedy: "add --into \(source)=DIR")
        }
        return try OwnProgram.absolute(folder) + "/\(source)"
    }

    private func server(_ source: SourceID) -> String? {
        guard case .server(let url)? = request.places[source] else { return nil }
        return url.secret.reveal()
    }

    /// From what was measured; where nothing was, no number is better than a guess.
    private func estimate(
        _ prepared: PreparedRestore, _ repository: ArchiveRepository
    ) -> RestoreEstimate {
        let plan = prepared.plan
        // Positions that are times tell no size.
        guard prepared.request.server == nil, Rooms.style(plan.descriptor).countsBytes else {
            return .ofFilling
        }
        do throws(TidemarkError) {
            let measured = try repository.restoreMeasurement(plan.descriptor.source)
            return RestoreEstimate(
                measured, baseBytes: plan.backup.bytes, replayBytes: plan.replayBytes)
        } catch {
            return RestoreEstimate(unknown: "what was measured cannot be read: \(error.message)")
        }
    }

    private func view(
        _ plan: RestorePlan, _ order: CopyRequest, _ notices: RestoreNotices,
        _ estimate: RestoreEstimate
    ) -> RestoredSource {
        let style = Rooms.style(plan.descriptor)
        var view = RestoredSource(
            name: plan.descriptor.source, target: plan.target.description,
            destination: order.destination, timeline: plan.timeline, backup: plan.backup.id,
            segments: plan.chain.segments.count, storedBytes: plan.storedBytes,
            stop: plan.stop.map { style.text($0.end) }, reaches: plan.reaches,
            estimatedSeconds: estimate.seconds, estimateBasis: estimate.basis,
            warnings: plan.warnings + notices.warnings)
        if request.starts, !order.starts,
            let why = try? Rooms.replayer(plan.descriptor.kind).unstartable
        {
            view.warnings.append("no server is started for it: \(why)")
        }
        if let timeline = request.timeline, order.timeline == nil {
            view.warnings.append(
                "the archive has no timeline \(timeline) of it: it goes along the history that it "
                    + "is on")
        }
        view.notes = notices.notes
        view.nextStep = order.starts ? nil : notices.nextStep
        return view
    }
}
