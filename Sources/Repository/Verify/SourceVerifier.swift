import Model
import Platform

/// Verifies what the archive has of one source. Never stops at a problem.
final class SourceVerifier {
    let context: VerifyContext
    private let descriptor: SourceDescriptor
    private let rules: VerificationRules
    private(set) var found: SourceVerification
    private(set) var problems: [VerificationProblem] = []
    /// What looks inside base backups, by their ids.
    private(set) var contents: [String: any BaseBackupCheck] = [:]

    /// The timeline that the source was on at last.
    private var current: TimelineID?

    var source: SourceID { descriptor.source }

    init(_ context: VerifyContext, _ descriptor: SourceDescriptor, _ rules: VerificationRules) {
        self.context = context
        self.descriptor = descriptor
        self.rules = rules
        found = SourceVerification(name: descriptor.source, kind: descriptor.kind)
    }

    func run(
        threads: Int, tick: () throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        // Before the listing: what it claims must be there by then.
        let watermark = try take(
            context.document(Watermark.self, Layout.watermark(source), of: source))
        current = watermark?.timeline
        let pushed = try take(
            context.document(PushedMark.self, Layout.pushed(source), of: source))
        let listing = try settledListing()
        let gaps = try self.gaps()
        problems += listing.setAside.map(setAside)
        try checkPoints()
        let backups = try self.backups()
        if context.isDeep {
            for backup in backups { contents[backup.id] = rules.content(backup) }
        }
        let jobs = self.jobs(listing, backups)
        context.progress.update { progress in
            progress.totalObjects += jobs.count
            if context.isDeep {
                progress.totalBytes += jobs.reduce(0) { $0 + $1.storedBytes }
            }
        }
        let check = check
        let outcomes = try ParallelWork.map(jobs, threads: threads, tick: tick) {
            (job) throws(TidemarkError) in try check.run(job)
        }
        for outcome in outcomes { problems += outcome.problems }
        let stream = StreamCheck(descriptor, rules, outcomes, gaps: gaps, backups: backups)
        problems += stream.problems
        if context.isDeep { try checkForks(stream.forks, listing) }
        found.stretches = stream.stretches
        for backup in backups { problems += stream.check(backup) + marks(of: backup) }
        for backup in backups { problems += try content(of: backup, listing) }
        if let watermark { problems += stream.check(watermark) }
        if let pushed { problems += stream.check(pushed) }
    }

    /// A listing may miss the file that is being sealed under it: a hole between names is believed
    /// only when it is found twice.
    private func settledListing() throws(TidemarkError) -> StreamListing {
        var listing = try context.repository.stream(source, rules.style)
        var holes = listing.holes
        for _ in 1..<Self.listings where !holes.isEmpty {
            listing = try context.repository.stream(source, rules.style)
            let now = listing.holes
            if now == holes { break }
            holes = now
        }
        return listing
    }

    private static let listings = 5

    /// Where a timeline begins, its first segment follows one of its parent's.
    private func checkForks(
        _ forks: [TimelineID: TimelineID], _ listing: StreamListing
    ) throws(TidemarkError) {
        for (child, parent) in forks.sorted(by: { $0.key < $1.key }) {
            guard let first = listing.segments[child]?.first,
                let before = listing.segments[parent]?.first(where: {
                    $0.state == .sealed && $0.range.last == first.range.first
                }), let strange = try check.fork(before, first)
            else { continue }
            problems.append(strange)
        }
    }

    private func jobs(
        _ listing: StreamListing, _ backups: [BaseBackupDescriptor]
    ) -> [ObjectCheck.Job] {
        var jobs: [ObjectCheck.Job] = []
        for timeline in listing.timelines {
            let segments = listing.segments[timeline] ?? []
            for (place, segment) in segments.enumerated() {
                found.storedBytes += segment.storedBytes
                switch segment.state {
                case .sealed:
                    found.segments += 1
                    jobs.append(
                        .sealed(
                            segment,
                            next: place + 1 < segments.count ? segments[place + 1] : nil))
                case .open:
                    found.openSegments += 1
                    jobs.append(.open(segment))
                }
            }
        }
        for (timeline, documents) in listing.documents.sorted(by: { $0.key < $1.key }) {
            found.documents += documents.count
            jobs += documents.sorted { $0.key < $1.key }.map {
                .document(timeline, $0.key, $0.value)
            }
        }
        for backup in backups {
            found.baseBackups += 1
            found.storedBytes += backup.storedBytes
            jobs += backup.files.map { .stored(backup, $0) }
        }
        return jobs
    }

    private func gaps() throws(TidemarkError) -> [Gap] {
        var gaps: [Gap] = []
        for info in try context.store.list(Layout.gaps(source)) {
            let gap = try take(context.document(Gap.self, info.key, of: source))
            guard let gap else { continue }
            guard gap.first <= gap.last else {
                report(info.key, "it runs backwards, from \(gap.first) to \(gap.last)")
                continue
            }
            gaps.append(gap)
        }
        found.gaps = gaps.count
        return gaps
    }

    private func checkPoints() throws(TidemarkError) {
        for info in try context.store.list(Layout.points(source)) {
            let point = try take(context.document(RestorePoint.self, info.key, of: source))
            guard let point else { continue }
            if Layout.point(source, point.name) == info.key {
                found.restorePoints += 1
            } else {
                report(info.key, "it holds the restore point \(point.name)")
            }
        }
    }

    /// The manifests that make sense.
    private func backups() throws(TidemarkError) -> [BaseBackupDescriptor] {
        let prefix = Layout.backups(source)
        var folders: Set<String> = []
        var backups: [BaseBackupDescriptor] = []
        for info in try context.store.list(prefix) {
            let parts = info.key.path.dropFirst(prefix.count).split(separator: "/")
            guard parts.count > 1 else { continue }
            folders.insert(String(parts[0]))
            guard parts.count == 2, info.key.name == Layout.manifestName else { continue }
            folders.remove(String(parts[0]))
            let read = try take(
                context.document(BaseBackupDescriptor.self, info.key, of: source))
            guard let backup = read else { continue }
            if let what = contradiction(backup, folder: String(parts[0])) {
                report(info.key, what)
            } else {
                backups.append(backup)
            }
        }
        found.unfinishedBackups = folders.count
        return backups
    }

    private func contradiction(_ backup: BaseBackupDescriptor, folder: String) -> String? {
        if backup.id != folder || backup.source != source || backup.kind != descriptor.kind {
            return "it belongs to \(backup.kind) \(backup.source), base backup \(backup.id)"
        }
        if descriptor.kind.hasLastingIdentity, backup.server.identity != descriptor.identity {
            return "it was taken from \(backup.server.identity), the archive belongs to "
                + descriptor.identity
        }
        if backup.start > backup.end { return "it ends before it starts" }
        // Of an empty MongoDB there is no file.
        let hasData = backup.files.contains { $0.role == .data }
        if descriptor.kind != .mongodb, !hasData { return "it names no data" }
        return nil
    }

    private func setAside(_ key: ObjectKey) -> VerificationProblem {
        VerificationProblem(
            source: source, key: key.path, kind: .setAside,
            what: "\(key) is a copy of an open segment that was found damaged; what was lost "
                + "behind the damage was archived again, or is missing or in a gap record",
            remedy: "look for the cause (the disk, its cable, the memory), then remove the copy")
    }

    private func take<T>(_ read: (value: T?, problem: VerificationProblem?)) -> T? {
        if let problem = read.problem { problems.append(problem) }
        return read.value
    }

    private func report(_ key: ObjectKey, _ what: String) {
        problems.append(check.damaged(key, what))
    }

    private var check: ObjectCheck {
        ObjectCheck(
            context: context, descriptor: descriptor, style: rules.style, scan: rules.scan,
            current: current, contents: contents)
    }
}
