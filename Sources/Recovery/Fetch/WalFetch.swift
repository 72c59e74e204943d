import Catalog
package import Model
package import Platform
package import Repository

/// The server's restore_command: brings one file of the archive, or says that nothing follows.
///
/// Postgres believes exit 1 to 125 and promotes (facts: RestoreArchivedFile, xlogarchive.c), so 1
/// is given only on proof, and every other trouble ends in 126 after bounded retries.
package struct WalFetch {
    private let request: FetchRequest
    private let replayer: any Replayer
    private let clock: any TimeSource
    /// Opens the repository; failing is retried like any other failure.
    private let open: () throws(TidemarkError) -> ArchiveRepository
    /// One line for the server's log.
    private let say: (String) -> Void

    package init(
        _ request: FetchRequest, _ replayer: any Replayer, clock: any TimeSource,
        say: @escaping (String) -> Void,
        open: @escaping () throws(TidemarkError) -> ArchiveRepository
    ) {
        self.request = request
        self.replayer = replayer
        self.clock = clock
        self.say = say
        self.open = open
    }

    /// Throws only after bounded retries; the caller must then exit with 126 or more.
    package func run(
        using random: inout some RandomNumberGenerator
    ) throws(TidemarkError) -> FetchOutcome {
        let spool = request.prefetch.map { PrefetchSpool(directory: $0.directory) }
        if let spool, spool.take(request.name, to: request.path) { return .delivered }
        var backoff = Backoff(first: 0.1, limit: 5)
        let deadline = clock.monotonic().advanced(bySeconds: request.retrySeconds)
        var hasSaid = false
        while true {
            do throws(TidemarkError) {
                return try fetch(spool)
            } catch {
                let now = clock.monotonic()
                let failure = TidemarkError(
                    error.code,
                    "cannot fetch \(request.name) (\(error.code.rawValue)): \(error.message)",
                    remedy: error.remedy, cause: error.cause)
                guard Self.mayPass(error), now < deadline else { throw failure }
                if !hasSaid { say(failure.message + "; " + retries(until: deadline, now)) }
                hasSaid = true
                let left = deadline.seconds(since: now)
                Pause.wait(seconds: min(left, backoff.next(using: &random)))
            }
        }
    }

    private func retries(until deadline: MonotonicTime, _ now: MonotonicTime) -> String {
        let end = clock.wall().advanced(bySeconds: deadline.seconds(since: now))
        return "trying again until \(end.text(fractionDigits: 0))"
    }

    /// Damage does not mend itself; everything else might.
    private static func mayPass(_ error: TidemarkError) -> Bool {
        switch error.code {
        case .archiveDamaged, .usage, .configuration, .contentConflict: false
        default: true
        }
    }

    private func fetch(_ spool: PrefetchSpool?) throws(TidemarkError) -> FetchOutcome {
        let repository = try open()
        try repository.open()
        guard let descriptor = try repository.descriptor(request.source) else {
            throw TidemarkError(
                .configuration,
                "the archive at \(repository.store.url) has no source \(request.source)",
                remedy: "mend restore_command; `tidemark list` shows what the archive has")
        }
        guard descriptor.kind == replayer.kind else {
            throw TidemarkError(
                .configuration,
                "\(request.source) is archived from \(descriptor.kind), and has no WAL",
                remedy: "name the Postgres with --source; `tidemark list` shows what the archive "
                    + "has")
        }
        switch replayer.request(request.name, segmentBytes: descriptor.segmentBytes) {
        case .segment(let range):
            return try fetch(range, descriptor, repository, spool)
        case .document(let timeline, let name):
            return try fetch(name, timeline, descriptor, repository)
        case .unfinished, .label, nil:
            // Recovery never asks for these; the archive has none to give.
            return .nothingFollows
        }
    }

    private func fetch(
        _ range: PositionRange, _ descriptor: SourceDescriptor, _ repository: ArchiveRepository,
        _ spool: PrefetchSpool?
    ) throws(TidemarkError) -> FetchOutcome {
        let style = replayer.style(segmentBytes: descriptor.segmentBytes)
        let base = Layout.segment(request.source, style, range)
        let delivery = SegmentDelivery(repository: repository)
        if try delivery.deliverSealed(base, range, to: request.path) {
            // Only behind a sealed segment can there be another one.
            if let launch = request.prefetch { spool?.start(launch, behind: request.name) }
            return .delivered
        }
        if let length = try deliverOpen(base, range, delivery, repository) {
            // Sealed or continued while it was read: then the sealed one has more.
            if try delivery.deliverSealed(base, range, to: request.path) {
                return .delivered
            }
            if let enough = enough(of: range), length >= enough { return .delivered }
            let listing = try repository.stream(request.source, style)
            let later = listing.segments[range.timeline]?.last {
                $0.range.first >= range.last
            }
            guard let later, length < range.length else { return .delivered }
            throw TidemarkError(
                .archiveIncomplete,
                "\(base.name) is in the archive only up to \(style.text(range.first + length)), "
                    + "but \(later.key.name) follows it",
                remedy: "`tidemark list` shows gaps; restore to a moment before this one")
        }
        // Asked for by reading ahead only. A server whose WAL ends before its target fails, it does
        // not promote (13 and later; "recovery ended before configured recovery target was
        // reached", xlogrecovery.c).
        if let until = request.until, range.first >= until { return .nothingFollows }
        return try decideMissing(range, style, repository)
    }

    /// Content of a segment behind which recovery asks for nothing; nil where it goes on behind it.
    private func enough(of range: PositionRange) -> UInt64? {
        guard let until = request.until, range.first < until, until <= range.last else {
            return nil
        }
        return until - range.first
    }

    private func deliverOpen(
        _ base: ObjectKey, _ range: PositionRange, _ delivery: SegmentDelivery,
        _ repository: ArchiveRepository
    ) throws(TidemarkError) -> UInt64? {
        // The watermark first: what it speaks of is in the segment that is read then.
        let watermark = try repository.watermark(request.source)
        let claimed = watermark.map { $0.timeline == range.timeline ? $0.claimed : 0 } ?? 0
        let needed = min(max(claimed, range.first), range.last) - range.first
        do {
            return try delivery.deliverOpen(
                base, range, needed: needed, enough: enough(of: range), to: request.path)
        } catch let error where error.code == .archiveDamaged {
            // The one that is sealed counts, and may have come in the meantime.
            guard try delivery.deliverSealed(base, range, to: request.path) else { throw error }
            return range.length
        }
    }

    private func decideMissing(
        _ range: PositionRange, _ style: any PositionStyle, _ repository: ArchiveRepository
    ) throws(TidemarkError) -> FetchOutcome {
        // The watermark first, so that nothing it speaks of can be newer than the listing.
        let watermark = try repository.watermark(request.source)
        let pushed = try repository.pushed(request.source)
        let listing = try repository.stream(request.source, style)
        let ancestors = try TimelineReader(repository, replayer).ancestors(listing)
        let answer = FetchAnswer.decide(
            range, listing: listing, ancestors: ancestors,
            gaps: try repository.gaps(request.source),
            backups: try repository.backups(request.source), watermark: watermark, pushed: pushed)
        switch answer {
        case .nothingFollows: return .nothingFollows
        case .missing(let why):
            throw TidemarkError(
                .archiveIncomplete, "\(request.name) is missing from the archive: \(why)",
                remedy: "`tidemark list` shows gaps, `tidemark verify` what else is missing; a "
                    + "restore to a named moment needs no proof of the end")
        }
    }

    private func fetch(
        _ name: String, _ timeline: TimelineID, _ descriptor: SourceDescriptor,
        _ repository: ArchiveRepository
    ) throws(TidemarkError) -> FetchOutcome {
        let style = replayer.style(segmentBytes: descriptor.segmentBytes)
        // First what speaks of the files, so that it cannot be newer than the listing.
        let watermark = try repository.watermark(request.source)
        let pushed = try repository.pushed(request.source)
        let listing = try repository.stream(request.source, style)
        if let key = listing.documents[timeline]?[name] {
            let content = try TimelineReader(repository, replayer).content(key)
            try DeliveredFile.write(content, to: request.path)
            return .delivered
        }
        // A server with a named target fails before it, it does not promote short.
        if request.until != nil { return .nothingFollows }
        let answer = FetchAnswer.decide(
            history: timeline, listing: listing, gaps: try repository.gaps(request.source),
            backups: try repository.backups(request.source), watermark: watermark, pushed: pushed)
        guard case .missing(let why) = answer else { return .nothingFollows }
        throw TidemarkError(
            .archiveIncomplete, "\(name) is missing from the archive: \(why)",
            remedy: "bring it back from a copy of the archive, or from the server's pg_wal folder: "
                + "tidemark wal push \(name)")
    }
}
