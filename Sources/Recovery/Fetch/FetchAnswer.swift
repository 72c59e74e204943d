import Catalog
import Model
import Repository

/// Whether a segment that is not in the archive may be called the end of history.
///
/// Postgres takes exit 1 of restore_command for "nothing follows", ends recovery and promotes. So
/// that answer is given only when the whole listing and everything the archive claims elsewhere
/// agree; whatever else is the matter, the answer must keep the server from starting.
///
/// A listing alone proves nothing: who lost the newest files has one as well. Something that is
/// written apart from them must say how far the archive came: the watermark of a sidecar, or, where
/// only archive_command stores, what `wal push` notes of its timeline.
enum FetchAnswer: Hashable, Sendable {
    /// The timeline ends before the segment: exit 1.
    case nothingFollows
    /// It must be there and is not: retry, then exit 126.
    case missing(String)

    /// - Parameters:
    ///   - range: The segment asked for; neither sealed nor open under its name.
    ///   - ancestors: Descent of every timeline in the archive.
    static func decide(
        _ range: PositionRange, listing: StreamListing,
        ancestors: [TimelineID: [Ancestor]], gaps: [Gap], backups: [BaseBackupDescriptor],
        watermark: Watermark?, pushed: PushedMark?
    ) -> FetchAnswer {
        let timeline = range.timeline
        if let later = listing.segments[timeline]?.last(where: { $0.range.first >= range.first }) {
            return .missing("\(later.key.name) follows it in the archive")
        }
        if let gap = gaps.first(where: { $0.timeline == timeline && $0.last > range.first }) {
            return .missing("it lies in a gap: \(gap.reason)")
        }
        if let watermark, watermark.timeline == timeline, watermark.claimed > range.first {
            return .missing("the archive was proved beyond it")
        }
        if let end = pushed?.end(of: timeline), end > range.first {
            return .missing("archive_command had stored it")
        }
        if let backup = backups.first(where: { $0.timeline == timeline && $0.end > range.first }) {
            return .missing("base backup \(backup.id) needs it")
        }
        // A timeline that left this one later, without an own file for this place.
        for child in ancestors.keys.sorted() {
            guard let left = ancestors[child]?.first(where: { $0.timeline == timeline }),
                left.end > range.first, let own = listing.segments[child]?.first,
                own.range.first > range.first
            else { continue }
            return .missing("timeline \(child) goes on behind it")
        }
        if let lost = lost(listing, ancestors, watermark, pushed) {
            return .missing("timeline \(lost) was archived, and nothing of it is there")
        }
        guard isWitnessed(timeline, listing, watermark, pushed) else {
            return .missing(
                "nothing proves that the archive ends here, since watermark.json does not exist")
        }
        return .nothingFollows
    }

    /// The same, as a snapshot of the archive says it; the segment may also be open without a byte.
    ///
    /// That is how a kill between the making of its file and the first write leaves it. It says
    /// nothing: the segment before was durable before the file was made. One whose bytes cannot be
    /// read any more does say that there were some.
    static func decide(_ range: PositionRange, _ snapshot: CatalogSnapshot) -> FetchAnswer {
        var listing = StreamListing()
        listing.segments = snapshot.segments
        listing.segments[range.timeline]?.removeAll {
            $0.state == .open && $0.range == range && snapshot.contentEnd($0) == range.first
                && !snapshot.damaged.contains($0.key)
        }
        return decide(
            range, listing: listing, ancestors: snapshot.ancestors, gaps: snapshot.gaps,
            backups: snapshot.backups, watermark: snapshot.watermark, pushed: snapshot.pushed)
    }

    /// A timeline that was archived, as is written apart from the files of the stream, and of which
    /// those have nothing, no history file either.
    private static func lost(
        _ listing: StreamListing, _ ancestors: [TimelineID: [Ancestor]], _ watermark: Watermark?,
        _ pushed: PushedMark?
    ) -> TimelineID? {
        spoken(watermark, pushed).sorted().first {
            listing.segments[$0]?.isEmpty ?? true && ancestors[$0]?.isEmpty ?? true
                && listing.documents[$0]?.isEmpty ?? true
        }
    }

    private static func spoken(_ watermark: Watermark?, _ pushed: PushedMark?) -> Set<TimelineID> {
        var known = Set((pushed?.ends.keys).map { $0.map { TimelineID($0) } } ?? [])
        if let watermark { known.insert(watermark.timeline) }
        return known
    }

    /// Whether a timeline's history file, which is not in the archive, may be called one that never
    /// was. A server which looks for the newest timeline asks for one number after the other and
    /// stays on the last that it was given (`findNewestTimeLine`, timeline.c): so whatever speaks
    /// of this timeline or a later one makes the file a missing one.
    static func decide(
        history timeline: TimelineID, listing: StreamListing, gaps: [Gap],
        backups: [BaseBackupDescriptor], watermark: Watermark?, pushed: PushedMark?
    ) -> FetchAnswer {
        let known = spoken(watermark, pushed).union(listing.timelines)
            .union(listing.documents.keys).union(gaps.map(\.timeline))
            .union(backups.map(\.timeline))
        // The oldest one of an archive may be a first one, which has no history.
        guard let oldest = known.min(), oldest < timeline,
            let later = known.sorted().first(where: { $0 >= timeline })
        else { return .nothingFollows }
        return .missing(
            later == timeline
                ? "timeline \(timeline) was archived"
                : "timeline \(later) was archived, and is found only by way of it; with "
                    + "recovery_target_timeline = '\(later)' the server does not ask for it")
    }

    /// Whether anything but the listing says where a timeline ends. One that has no segments can
    /// have been announced by its history file before it wrote any.
    static func isWitnessed(
        _ timeline: TimelineID, _ listing: StreamListing, _ watermark: Watermark?,
        _ pushed: PushedMark?
    ) -> Bool {
        if watermark != nil || pushed?.end(of: timeline) != nil { return true }
        return pushed != nil && listing.segments[timeline]?.isEmpty ?? true
    }
}
