import Catalog
import Model
import Monitoring
import Platform
import Synchronization

/// What can be gone back to, from what `CatalogWatch` has last read and what the streams have
/// proved since.
extension LiveStatus {
    /// Seconds for which the time axis stands: it takes a walk through every chain.
    private static let timelineSeconds = 5.0

    func timeline() -> TimelineDocument {
        let now = time.reading()
        let known = shown.withLock { $0 }
        if let known, now.uptime.seconds(since: known.made) < Self.timelineSeconds {
            return known.document
        }
        let document = TimelineDocument(
            time: now.wall,
            sources: subjects.map { subject in
                guard let snapshot = catalog.seen(subject.board.source)?.snapshot else {
                    return SourceTimeline(
                        name: subject.configuration.name, kind: subject.configuration.kind)
                }
                var timeline = SourceTimeline(snapshot, live: subject.board.watermark(now))
                if let found = events.found(subject.board.source) {
                    timeline.show(
                        found.events, isComplete: found.isComplete, snapshot.style)
                }
                return timeline
            })
        shown.withLock { $0 = (now.uptime, document) }
        return document
    }

    /// Seconds on either side of a moment, and how many events of that time are shown.
    private static let nearSeconds = 300.0
    private static let nearLimit = 5

    private static func near(
        _ at: CommitTime, _ found: [DestructiveEvent]
    ) -> [(DestructiveEvent, CommitTime)] {
        let timed = found.compactMap { event in
            event.time.map { (event: event, time: $0, away: abs($0.seconds(since: at))) }
        }
        return timed.filter { $0.away <= nearSeconds }.sorted { $0.away < $1.away }
            .prefix(nearLimit).map { ($0.event, $0.time) }
    }

    func moment(_ at: CommitTime) -> MomentDocument {
        let now = time.reading()
        let words = CommandWords(repository: repository, at: at)
        let sources = subjects.map { subject in
            let seen = catalog.seen(subject.board.source)
            guard let snapshot = seen?.snapshot else {
                let why = seen == nil ? "the archive has not been read yet" : "nothing is archived"
                return SourceMoment(
                    name: subject.configuration.name, kind: subject.configuration.kind,
                    isRestorable: false, reason: seen?.failure?.message ?? why)
            }
            var moment = MomentReport(
                snapshot: snapshot, live: subject.board.watermark(now), measured: seen?.measured,
                time: at
            ).moment
            let found = events.found(subject.board.source)?.events ?? []
            moment.events = Self.near(at, found).map { event, time in
                .init(
                    id: event.id, action: event.action, place: event.place, time: time,
                    command: words.undo(event.id, of: subject.board.source))
            }
            return moment
        }
        return MomentDocument(
            at: at, sources: sources,
            command: words.restore(sources.filter(\.isRestorable).map(\.name)),
            findCommand: words.find)
    }
}
