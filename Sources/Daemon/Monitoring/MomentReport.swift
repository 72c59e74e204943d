import Catalog
import Model
import Monitoring
import Recovery

/// Whether one source can be restored to a moment, as far as names and documents tell: the restore
/// itself reads the stream for the exact stop. Pure.
struct MomentReport {
    let snapshot: CatalogSnapshot
    /// What this process itself knows now, where it archives the source; newer than the snapshot.
    let live: Watermark?
    /// What the last restore took; nil when none was measured.
    var measured: RestoreMeasurement?
    let time: CommitTime

    var moment: SourceMoment {
        let windows = SourceTimeline(snapshot, live: live).windows
        do throws(TidemarkError) {
            if let backup = newest(windows) { return restorable(backup, end: live?.archived) }
            if let branch = snapshot.branch(claiming: time) {
                throw branch.refusal(of: time, source: snapshot.source)
            }
            if snapshot.isLeft(for: live),
                snapshot.line(at: time)?.timeline == snapshot.currentTimeline
            {
                return refused(Self.left, windows)
            }
            if isInDoubt { return refused(Self.outage, windows) }
            let candidates = try Planner(snapshot, target: .time(time)).candidates(at: time)
            guard let best = candidates.first else {
                preconditionFailure("a moment inside a window has a base backup before it")
            }
            return restorable(best.backup, end: best.chain.end.ordinal)
        } catch {
            let reason = [error.message, error.remedy].filter { !$0.isEmpty }
            return refused(reason.joined(separator: "; "), windows)
        }
    }

    /// Whether it lies in an outage, as far as the archive or a newer watermark tells.
    private var isInDoubt: Bool {
        if snapshot.outage(at: time) != nil { return true }
        guard let read = snapshot.newestReach?.reach.window.to, let late = live?.lateUntil else {
            return false
        }
        return read < time && time < late
    }

    private static let left =
        "the source has just gone over to another history, and the archive has not been looked at "
        + "since: where that left the older one is known in a moment"

    private static let outage =
        "nobody knows what had been done by then: what was done around it reached the archive "
        + "late, all at once, after an outage of the sidecar or the network"

    private func refused(_ reason: String, _ windows: [SourceTimeline.Window]) -> SourceMoment {
        SourceMoment(
            name: snapshot.source, kind: snapshot.descriptor.kind, isRestorable: false,
            reason: reason, nearestBefore: windows.last { $0.to.time <= time }?.to,
            nearestAfter: windows.first { $0.from.time >= time }?.from)
    }

    /// The base backup for a moment that was proved after the snapshot had been read.
    private func newest(_ windows: [SourceTimeline.Window]) -> BaseBackupDescriptor? {
        guard let read = snapshot.newestReach?.reach.window.to, time > read,
            let last = windows.last, last.from.time <= time, time <= last.to.time
        else { return nil }
        return snapshot.backups(on: snapshot.path(to: last.timeline)).last { $0.finished <= time }
    }

    private func restorable(_ backup: BaseBackupDescriptor, end: UInt64?) -> SourceMoment {
        let changes = changes(since: backup, end: end)
        // Nothing measures how long a MongoDB takes to be filled, and `--start` starts none.
        let estimate =
            snapshot.descriptor.kind == .mongodb
            ? .ofFilling
            : RestoreEstimate(measured, baseBytes: backup.bytes, replayBytes: changes)
        return SourceMoment(
            name: snapshot.source, kind: snapshot.descriptor.kind, isRestorable: true,
            backup: SourceTimeline.Backup(backup, snapshot.style), changeBytes: changes,
            estimatedSeconds: estimate.seconds, estimateBasis: estimate.basis)
    }

    /// What has to be replayed at most. Positions of MongoDB are times: they tell no size.
    private func changes(since backup: BaseBackupDescriptor, end: UInt64?) -> UInt64? {
        guard snapshot.descriptor.kind != .mongodb else { return nil }
        let later = snapshot.positionBounds(live: live).filter {
            $0.time >= time && $0.side != .least && $0.position.timeline == backup.timeline
        }.map(\.position.ordinal)
        guard let limit = (later + [end].compactMap { $0 }).min() else { return nil }
        return limit > backup.start ? limit - backup.start : 0
    }
}
