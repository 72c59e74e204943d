import Catalog
import Model
import Monitoring
import Platform
import Repository

/// What the running sidecar says of itself: positions and exposure as of this moment, from memory,
/// over what `CatalogWatch` has last read of the archive.
final class LiveStatus: SidecarView {
    /// A source and where its threads meet.
    struct Subject: Sendable {
        var configuration: SourceConfiguration
        var board: SourceBoard
    }

    private let subjects: [Subject]
    private let repository: String
    private let catalog: CatalogWatch
    private let time: any TimeSource

    init(
        _ subjects: [Subject], repository: String, catalog: CatalogWatch, time: any TimeSource
    ) {
        self.subjects = subjects
        self.repository = repository
        self.catalog = catalog
        self.time = time
    }

    func status() -> StatusDocument {
        let now = time.reading()
        return StatusDocument(
            time: now.wall, repository: repository, state: repositoryState(now.uptime),
            sources: subjects.map { status($0, now) })
    }

    var isReady: Bool {
        subjects.allSatisfy { $0.board.monitor.read { $0.wasConnected } }
    }

    func counters() -> [(source: SourceID, kind: DatabaseKind, values: SourceCounters.Values)] {
        subjects.map {
            ($0.board.source, $0.configuration.kind, $0.board.counters.values)
        }
    }

    func stored() -> StoredBytes? {
        var sources: [SourceID: StoredBytes.Source] = [:]
        for subject in subjects {
            guard let snapshot = catalog.seen(subject.board.source)?.snapshot else { continue }
            let segments = snapshot.segments.values.joined()
            sources[subject.board.source] = StoredBytes.Source(
                segments: segments.count,
                segmentBytes: segments.reduce(0) { $0 + $1.storedBytes },
                backups: snapshot.backups.count,
                backupBytes: snapshot.backups.reduce(0) { $0 + $1.storedBytes })
        }
        return StoredBytes(sources: sources)
    }

    private func repositoryState(_ now: MonotonicTime) -> String {
        let isWritable = subjects.allSatisfy { subject in
            subject.board.monitor.read { $0.isRepositoryReachable }
        }
        return catalog.problem(now)
            ?? (isWritable ? "ok" : "the repository cannot be written to (the log says why)")
    }

    private func status(_ subject: Subject, _ now: ClockReading) -> SourceStatus {
        let (isOurs, reason) = subject.board.monitor.read { ($0.isOurs, $0.reason) }
        let seen = catalog.seen(subject.board.source)
        let mark = subject.board.watermark(now)
        guard let snapshot = seen?.snapshot, mark != nil || !isOurs else {
            let why =
                seen == nil ? "the archive has not been read yet" : "nothing is archived yet"
            return SourceStatus.unknown(
                subject.configuration, .connecting,
                [reason, seen?.failure?.message ?? why].filter { !$0.isEmpty }
                    .joined(separator: "; "))
        }
        return SourceReport(
            snapshot: snapshot, rpo: subject.configuration.rpo.inSeconds, now: now, live: mark
        ).status
    }
}

extension SourceStatus {
    /// A source of which nothing is known but why.
    static func unknown(
        _ source: SourceConfiguration, _ state: StreamState, _ reason: String
    ) -> SourceStatus {
        SourceStatus(
            name: source.name, kind: source.kind, state: state, timeline: nil,
            receivedPosition: nil, archivedPosition: nil, restorableTo: nil, exposureSeconds: nil,
            rpoSeconds: source.rpo.inSeconds, recoveryWindows: [], gaps: [], lastBackup: nil,
            sourceWindow: nil, reason: reason)
    }
}
