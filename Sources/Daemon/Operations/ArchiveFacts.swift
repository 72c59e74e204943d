import Catalog
import Model
import Monitoring
import Repository

/// What a look at the archive says of a source, worked out once. Pure.
///
/// Every question would otherwise walk all segments again; a busy source has many thousands.
struct ArchiveFacts: Sendable {
    let source: SourceID
    let kind: DatabaseKind
    let style: any PositionStyle
    /// Recovery windows, oldest first.
    let windows: [RecoveryWindow]
    let newest: NewestReach?
    /// The timeline that the source was on.
    let timeline: TimelineID?
    let gaps: [Gap]
    let lastBackup: BaseBackupDescriptor?
    /// Base backups that no restore can use, as a sentence; empty when all are whole.
    let broken: String
    /// As it was written before the look.
    let watermark: Watermark?
    /// Why the newest archived changes cannot be restored; nil when they can.
    let obstacle: String?
    /// How far a base backup's history reaches on the source's line; nil where none does.
    let reach: Position?
    /// Whether more was acknowledged than can be read.
    let isShort: Bool
    let stored: StoredBytes.Source

    init(_ snapshot: CatalogSnapshot) {
        source = snapshot.source
        kind = snapshot.descriptor.kind
        style = snapshot.style
        windows = snapshot.windows()
        newest = snapshot.newestReach
        timeline = snapshot.currentTimeline
        gaps = snapshot.gaps
        lastBackup = snapshot.backups.last
        watermark = snapshot.watermark
        broken =
            snapshot.brokenBackups.last.map { last in
                let count = snapshot.brokenBackups.count
                return "base backup \(last.backup.id) cannot be restored: \(last.reason)"
                    + (count > 1 ? " (and \(count - 1) more, see `tidemark list`)" : "")
            } ?? ""
        let shortfall = snapshot.shortfall
        obstacle = shortfall.map { Self.text($0, snapshot.style) } ?? Self.obstacle(snapshot)
        isShort = shortfall != nil
        reach = snapshot.currentTimeline.flatMap { timeline in
            snapshot.reaches(on: snapshot.path(to: timeline)).map(\.end).max {
                $0.ordinal < $1.ordinal
            }
        }
        let segments = snapshot.segments.values.joined()
        stored = StoredBytes.Source(
            segments: segments.count, segmentBytes: segments.reduce(0) { $0 + $1.storedBytes },
            backups: snapshot.backups.count,
            backupBytes: snapshot.backups.reduce(0) { $0 + $1.storedBytes })
    }

    /// What is said of history that was lost while no base backup follows it.
    static let unmended =
        "history was lost, and nothing after it can be restored before a new base backup "
        + "(`tidemark run` takes it by itself, `tidemark backup` takes one now)"

    /// Why what a newer watermark proves cannot be restored, as far as this look tells; nil when it
    /// can. A gap may have been recorded between the look's watermark and its listing.
    func obstacle(to mark: Watermark) -> String? {
        if let obstacle { return obstacle }
        guard let reach, reach.timeline == mark.timeline else { return nil }
        // Also one behind which nothing has come yet: the end that was proved is no longer the end.
        let isCut = gaps.contains { $0.timeline == mark.timeline && $0.first >= reach.ordinal }
        return isCut ? Self.unmended : nil
    }

    private static func obstacle(_ snapshot: CatalogSnapshot) -> String? {
        if snapshot.isProofRestorable { return nil }
        if snapshot.backups.isEmpty, !snapshot.brokenBackups.isEmpty {
            return "nothing can be restored: no base backup is whole (`tidemark run` takes another "
                + "by itself, `tidemark backup` takes one now)"
        }
        if snapshot.backups.isEmpty {
            return "nothing can be restored yet: there is no base backup (`tidemark run` takes the "
                + "first by itself, `tidemark backup` takes one now)"
        }
        if let hole = snapshot.newestHole, snapshot.gap(at: hole) == nil {
            let style = snapshot.style
            return "the archive has lost its files of timeline \(hole.timeline) from "
                + "\(style.text(hole.first)) to \(style.text(hole.last)), and nothing after them "
                + "can be restored before a new base backup (`tidemark run` takes it by itself "
                + "within a minute, `tidemark backup` takes one now)"
        }
        if !snapshot.gaps.isEmpty {
            return unmended
        }
        // A sidecar in its first second had not written one when this look was taken. What it
        // proves since counts from the reach.
        if snapshot.watermark == nil, let timeline = snapshot.currentTimeline,
            !snapshot.reaches(on: snapshot.path(to: timeline)).isEmpty
        {
            return nil
        }
        return "no base backup's history reaches the end of the archive, so nothing new can be "
            + "restored (`tidemark verify` names what is missing)"
    }

    private static func text(_ shortfall: Shortfall, _ style: any PositionStyle) -> String {
        let end = style.text(shortfall.end.ordinal)
        let place = shortfall.key.map { "\($0) is damaged behind that" } ?? "the rest is missing"
        let known =
            shortfall.acknowledged.map { ", and \(style.text($0)) was acknowledged" }
            ?? ", and more was archived"
        return "the archive can be read only up to \(end) on timeline "
            + "\(shortfall.end.timeline): \(place)\(known) (`tidemark run`, started anew, asks the "
            + "source for the rest; what can be read restores with `tidemark restore --to "
            + "\(style.scheme):\(end)`)"
    }
}
