import Catalog
import Model
import Monitoring

/// One source of `status`, put together from what the archive says. Pure.
///
/// A moment counts as restorable only where a base backup's history reaches it: archived changes
/// without a copy to replay them on bring nothing back.
struct SourceReport {
    let facts: ArchiveFacts
    /// Seconds.
    let rpo: Double
    /// The reader's clocks.
    let now: ClockReading
    /// What is known now, where that is newer than the look at the archive.
    let live: Watermark?
    /// History was lost, and the look at the archive does not know it yet.
    var isGapUnseen = false

    init(
        _ facts: ArchiveFacts, rpo: Double, now: ClockReading, live: Watermark? = nil,
        isGapUnseen: Bool = false
    ) {
        self.isGapUnseen = isGapUnseen
        self.facts = facts
        self.rpo = rpo
        self.now = now
        self.live = live
    }

    init(snapshot: CatalogSnapshot, rpo: Double, now: ClockReading) {
        self.init(ArchiveFacts(snapshot), rpo: rpo, now: now)
    }

    private var mark: Watermark? { live ?? facts.watermark }
    private var obstacle: String? {
        if isGapUnseen { return facts.obstacle ?? ArchiveFacts.unmended }
        guard let mark else { return facts.isShort ? facts.obstacle : nil }
        return facts.obstacle(to: mark) ?? Self.early(mark, facts)
    }

    var status: SourceStatus {
        let style = facts.style
        let (state, reason) = said
        let isUnmended = obstacle != nil && (isGapUnseen || !facts.gaps.isEmpty)
        var status = SourceStatus(
            name: facts.source, kind: facts.kind,
            state: isUnmended && state != .stopped ? .gap : state, timeline: mark?.timeline,
            receivedPosition: mark.map { style.text($0.received) },
            archivedPosition: mark.map { style.text($0.archived) },
            restorableTo: obstacle == nil ? mark?.restorableTo : nil,
            exposureSeconds: obstacle == nil ? exposure : nil, rpoSeconds: rpo,
            recoveryWindows: windows, gaps: facts.gaps.map { SourceStatus.GapStatus($0, style) },
            lastBackup: facts.lastBackup.map(SourceStatus.LastBackup.init),
            sourceWindow: mark?.sourceWindow,
            reason: [reason, backupTrouble, obstacle ?? "", facts.broken].filter { !$0.isEmpty }
                .joined(separator: "; "))
        status.ordinals = mark.map { .init(received: $0.received, archived: $0.archived) }
        return status
    }

    /// Why the proof counts for nothing yet, where it is older than the first moment of the copy
    /// that it needs: no restore brings back what it speaks of.
    private static func early(_ mark: Watermark, _ facts: ArchiveFacts) -> String? {
        guard let proved = mark.restorableTo, let first = facts.newest?.reach.window.from,
            proved < first
        else { return nil }
        return "nothing is proved since the base backup, whose first moment is \(first)"
    }

    /// The newest window ends where the newest proof does.
    private var windows: [SourceStatus.Window] {
        var windows = facts.windows
        if let live, live.timeline != facts.timeline {
            // As `CatalogSnapshot.isLeft` says.
            windows.removeAll { $0.timeline == facts.timeline }
        }
        if obstacle == nil, let live, let proved = facts.newest?.proved(by: live) {
            if let last = windows.indices.last, windows[last].to == proved.from {
                windows[last].to = proved.to
            } else {
                windows.append(proved)
            }
        }
        return windows.map { SourceStatus.Window($0) }
    }

    /// What the sidecar last said of itself, unless it has stopped saying anything.
    private var said: (StreamState, String) { Self.said(mark, now) }

    static func said(_ mark: Watermark?, _ now: ClockReading) -> (StreamState, String) {
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

    /// Nothing where the clocks contradict each other: then every number would be a guess.
    private var exposure: Double? {
        guard let mark, mark.age(now) != nil else { return nil }
        return mark.exposure(now)
    }
}
