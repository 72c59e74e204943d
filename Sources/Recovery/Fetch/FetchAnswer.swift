import Catalog
import Model
import Repository

/// Whether a segment that is not in the archive may be called the end of history.
///
/// Postgres takes exit 1 of restore_command for "nothing follows", ends recovery and promotes. So
/// that answer is given only when the whole listing and everything the archive claims elsewhere
/// agree; whatever else is the matter, the answer must keep the server from starting.
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
        watermark: Watermark?
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
        return .nothingFollows
    }
}
