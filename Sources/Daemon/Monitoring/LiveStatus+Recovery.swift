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
                return SourceTimeline(snapshot, live: subject.board.watermark(now))
            })
        shown.withLock { $0 = (now.uptime, document) }
        return document
    }

    func moment(_ at: CommitTime) -> MomentDocument {
        let now = time.reading()
        let sources = subjects.map { subject in
            let seen = catalog.seen(subject.board.source)
            guard let snapshot = seen?.snapshot else {
                let why = seen == nil ? "the archive has not been read yet" : "nothing is archived"
                return SourceMoment(
                    name: subject.configuration.name, kind: subject.configuration.kind,
                    isRestorable: false, reason: seen?.failure?.message ?? why)
            }
            return MomentReport(
                snapshot: snapshot, live: subject.board.watermark(now), time: at
            ).moment
        }
        let words = CommandWords(repository: repository, at: at)
        return MomentDocument(
            at: at, sources: sources,
            command: words.restore(sources.filter(\.isRestorable).map(\.name)),
            findCommand: words.find, estimatedSeconds: nil,
            estimateBasis: "no restore of this archive has been measured, so no time is named; "
                + "`tidemark restore --start` tells how long it took")
    }
}
