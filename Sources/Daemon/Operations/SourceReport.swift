import Catalog
import Model
import Monitoring

/// One source of `status`, put together from what the archive says. Pure.
///
/// A moment counts as restorable only where a base backup's history reaches it: archived changes
/// without a copy to replay them on bring nothing back.
struct SourceReport {
    let snapshot: CatalogSnapshot
    /// Seconds.
    let rpo: Double
    /// The reader's clocks.
    let now: ClockReading
    /// What this process itself knows now, where it archives the source; newer than the snapshot.
    var live: Watermark?

    private var mark: Watermark? { live ?? snapshot.watermark }

    var status: SourceStatus {
        let style = snapshot.style
        let (state, reason) = said
        let obstacle = obstacle
        let isUnmended = obstacle != nil && !snapshot.gaps.isEmpty
        return SourceStatus(
            name: snapshot.source, kind: snapshot.descriptor.kind,
            state: isUnmended && state != .stopped ? .gap : state, timeline: mark?.timeline,
            receivedPosition: mark.map { style.text($0.received) },
            archivedPosition: mark.map { style.text($0.archived) },
            restorableTo: obstacle == nil ? mark?.restorableTo : nil,
            exposureSeconds: obstacle == nil ? exposure : nil, rpoSeconds: rpo,
            recoveryWindows: windows(isRestorable: obstacle == nil),
            gaps: snapshot.gaps.map { SourceStatus.GapStatus($0, style) },
            lastBackup: snapshot.backups.last.map(SourceStatus.LastBackup.init),
            sourceWindow: mark?.sourceWindow,
            reason: [reason, backupTrouble, obstacle ?? ""].filter { !$0.isEmpty }.joined(
                separator: "; "))
    }

    /// The newest window ends where the newest proof does.
    private func windows(isRestorable: Bool) -> [SourceStatus.Window] {
        var windows = snapshot.windows().map { SourceStatus.Window($0) }
        if isRestorable, let proved = live?.restorableTo, let last = windows.indices.last {
            windows[last].to = Millis(max(windows[last].to.time, proved))
        }
        return windows
    }

    /// What the sidecar last said of itself, unless it has stopped saying anything.
    private var said: (StreamState, String) {
        guard let mark else { return (.stopped, "nothing is proved yet") }
        guard mark.state != .stopped else { return (.stopped, "`tidemark run` was stopped") }
        guard mark.age(now) != nil else {
            return (
                .stopped,
                "the watermark was written in the future (\(mark.written), now it is "
                    + "\(now.wall)): a clock was set back, so whether a sidecar lives is unknown"
            )
        }
        guard mark.isLive(now) else {
            return (
                .stopped,
                "no sidecar has reported since \(mark.written): it has ended, or cannot write to "
                    + "the repository (its log says why)"
            )
        }
        return (mark.state, mark.reason)
    }

    /// Only a living sidecar takes base backups.
    private var backupTrouble: String {
        guard let mark, mark.isLive(now) else { return "" }
        return mark.backupTrouble ?? ""
    }

    /// Why the newest archived changes cannot be restored; nil when they can.
    private var obstacle: String? {
        if let shortfall = snapshot.shortfall { return text(shortfall) }
        if mark == nil || snapshot.isProofRestorable { return nil }
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
            return "history was lost, and nothing after it can be restored before a new base "
                + "backup (`tidemark run` takes it by itself, `tidemark backup` takes one now)"
        }
        return "no base backup's history reaches the end of the archive, so nothing new can be "
            + "restored (`tidemark verify` names what is missing)"
    }

    private func text(_ shortfall: Shortfall) -> String {
        let style = snapshot.style
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

    /// Nothing where the clocks contradict each other: then every number would be a guess.
    private var exposure: Double? {
        guard let mark, mark.age(now) != nil else { return nil }
        return mark.exposure(now)
    }
}
