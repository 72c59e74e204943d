import Catalog
import Model
import Monitoring
import Platform
import Repository
import Synchronization

/// What the running sidecar says of itself: positions and exposure as of this moment, from memory,
/// over what `CatalogWatch` has last read of the archive.
final class LiveStatus: SidecarView {
    /// A source and where its threads meet.
    struct Subject: Sendable {
        var configuration: SourceConfiguration
        var board: SourceBoard
    }

    let subjects: [Subject]
    let repository: String
    let catalog: CatalogWatch
    let events: EventWatch
    private let histories: HistoryKeeper
    let time: any TimeSource
    private let objectives = Mutex<[SourceID: ObjectiveTracker]>([:])
    /// The time axis, made once for all pages that ask within a few seconds.
    let shown = Mutex<(made: MonotonicTime, document: TimelineDocument)?>(nil)

    init(
        _ subjects: [Subject], repository: String, catalog: CatalogWatch, events: EventWatch,
        history: HistoryKeeper, time: any TimeSource
    ) {
        self.subjects = subjects
        self.repository = repository
        self.catalog = catalog
        self.events = events
        histories = history
        self.time = time
    }

    func status() -> StatusDocument {
        let now = time.reading()
        return StatusDocument(
            time: now.wall, repository: repository, state: repositoryState(now.uptime),
            sources: subjects.map { subject in
                var source = status(subject, now)
                source.objective = objectives.withLock {
                    $0[source.name, default: ObjectiveTracker()].observe(
                        source.exposureSeconds, rpo: source.rpoSeconds, now: now.uptime)
                }
                return source
            })
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
            sources[subject.board.source] = catalog.seen(subject.board.source)?.facts?.stored
        }
        return StoredBytes(sources: sources)
    }

    func history() -> [(source: SourceID, history: SourceHistory)] {
        subjects.map { ($0.board.source, histories.history($0.board.source)) }
    }

    /// Whether the archive of a source has been looked at.
    func hasLooked(_ source: SourceID) -> Bool { catalog.seen(source) != nil }

    /// Whether this process archives the source.
    func isOurs(_ source: SourceID) -> Bool {
        subjects.contains { $0.board.source == source && $0.board.monitor.read { $0.isOurs } }
    }

    private func repositoryState(_ now: MonotonicTime) -> String {
        let silence = subjects.compactMap { $0.board.repositorySilence(now) }.max()
        if let silence { return Self.silence(of: "repository", silence) }
        let isWritable = subjects.allSatisfy { subject in
            subject.board.monitor.read { $0.isRepositoryReachable }
        }
        return catalog.problem(now)
            ?? (isWritable ? "ok" : "the repository cannot be written to (the log says why)")
    }

    /// Seconds since its last answer after which a database is not said to answer.
    private static let answerSeconds = 2.5

    private static func silence(of whom: String, _ seconds: Double) -> String {
        "the \(whom) has not answered for \(HealthVerdict.seconds(seconds))"
    }

    private func status(_ subject: Subject, _ now: ClockReading) -> SourceStatus {
        let board = subject.board
        let (isOurs, reason, answer, isStopped, isAfterGap) = board.monitor.read {
            (
                $0.isOurs, $0.reason, $0.seen.lastAnswer, $0.seen.isStopped,
                $0.seen.awaitsBackupAfterGap && $0.changes != catalog.changesSeen(board.source)
            )
        }
        let seen = catalog.seen(board.source)
        let mark = board.watermark(now)
        guard let facts = seen?.facts, mark != nil || !isOurs else {
            let why =
                seen == nil ? "the archive has not been read yet" : "nothing is archived yet"
            return SourceStatus.unknown(
                subject.configuration, .connecting,
                [reason, seen?.failure?.message ?? why].filter { !$0.isEmpty }
                    .joined(separator: "; "))
        }
        var status = SourceReport(
            facts, rpo: subject.configuration.rpo.inSeconds, now: now, live: mark ?? seen?.mark,
            isGapUnseen: isAfterGap
        ).status
        status.isOurStop = isOurs && isStopped
        if let failure = seen?.failure, failure.code == .archiveDamaged {
            // What the archive said before it was damaged proves nothing now.
            status.exposureSeconds = nil
            status.restorableTo = nil
            status.reason = [status.reason, failure.message].filter { !$0.isEmpty }
                .joined(separator: "; ")
        }
        status.answerAge = answer.map { max(0, now.uptime.seconds(since: $0)) }
        if status.state == .stalled, status.reason.isEmpty {
            status.reason = stall(board, now.uptime)
        }
        return status
    }

    /// Why a stream that is connected does not move: who does not answer.
    private func stall(_ board: SourceBoard, _ now: MonotonicTime) -> String {
        if let seconds = board.repositorySilence(now) {
            return Self.silence(of: "repository", seconds) + ", so nothing more becomes durable"
        }
        if !board.monitor.read({ $0.isRepositoryReachable }) {
            return "the repository cannot be written to (the log says why): nothing is proved"
        }
        // It is asked once a second: what it owes for longer is not on its way any more.
        let unanswered = board.monitor.read { $0.seen.lastAnswer }.map { now.seconds(since: $0) }
        if let seconds = unanswered, seconds > Self.answerSeconds {
            return Self.silence(of: "database", seconds)
        }
        if let seconds = board.sourceSilence(now) { return Self.silence(of: "database", seconds) }
        return "the database answers, and sends nothing of what it has more than the archive"
    }
}

extension SourceStatus {
    /// A source of which nothing is known but why.
    static func unknown(
        _ source: SourceConfiguration, _ state: StreamState, _ reason: String
    ) -> SourceStatus {
        var status = SourceStatus(
            name: source.name, kind: source.kind, state: state, timeline: nil,
            receivedPosition: nil, archivedPosition: nil, restorableTo: nil, exposureSeconds: nil,
            rpoSeconds: source.rpo.inSeconds, recoveryWindows: [], gaps: [], lastBackup: nil,
            sourceWindow: nil, reason: reason)
        status.isRead = false
        return status
    }
}
