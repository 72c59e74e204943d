/// `watermark.json`: how far the archive of a source is proved, so that any process can tell.
///
/// Written after the bytes it speaks of are durable, so it is never ahead of the archive.
package struct Watermark: Hashable, Sendable, Codable {
    package var timeline: TimelineID
    package var state: StreamState
    package var received: UInt64
    package var archived: UInt64
    /// The furthest that was ever acknowledged on this timeline; nil in files of older versions.
    ///
    /// `archived` falls back while a source sends again what the archive has, or has lost.
    package var acknowledged: UInt64?
    /// Source clock: everything committed at or before it is durable. Nil before the first proof.
    package var restorableTo: CommitTime?
    /// Where times are those of arrival: what came late (`TimeIndexEntry.isLate`) was made before
    /// this moment. Nil when nothing has come late.
    package var lateUntil: CommitTime?
    /// The sidecar's wall clock when the proof behind `restorableTo` was started.
    package var provedAt: CommitTime?
    /// The sidecar's wall clock when this file was written; a reader knows by it whether a sidecar
    /// lives.
    package var written: CommitTime
    /// The boot of the machine that wrote it, see `ClockReading`; empty when not known.
    package var boot: String
    /// Nanoseconds since that boot when it was written.
    package var writtenUptime: UInt64
    /// Nanoseconds since that boot when the proof was started; nil for one from an earlier boot.
    package var provedUptime: UInt64?
    /// For a proof of an earlier boot: nanoseconds since this boot when the process took it over,
    /// and how many seconds old it was then. This boot's steady clock counts from there.
    package var takenUptime: UInt64?
    package var takenSeconds: Double?
    /// Source clock minus sidecar clock in seconds, with its error bound; nil when not measured.
    package var clockOffsetSeconds: Double?
    package var clockErrorSeconds: Double?
    package var sourceWindow: SourceWindow?
    /// Why the stream is not streaming; empty when it is.
    package var reason: String
    /// Why a base backup is stalled or failed; nil or empty when nothing is wrong with it.
    package var backupTrouble: String?

    package init(
        timeline: TimelineID, state: StreamState, received: UInt64, archived: UInt64,
        acknowledged: UInt64? = nil,
        restorableTo: CommitTime?, provedAt: CommitTime?, written: CommitTime,
        boot: String = "", writtenUptime: UInt64 = 0, provedUptime: UInt64? = nil,
        clockOffsetSeconds: Double? = nil, clockErrorSeconds: Double? = nil,
        sourceWindow: SourceWindow? = nil, reason: String = "", backupTrouble: String? = nil
    ) {
        self.timeline = timeline
        self.state = state
        self.received = received
        self.archived = archived
        self.acknowledged = acknowledged
        self.restorableTo = restorableTo
        self.provedAt = provedAt
        self.written = written
        self.boot = boot
        self.writtenUptime = writtenUptime
        self.provedUptime = provedUptime
        self.clockOffsetSeconds = clockOffsetSeconds
        self.clockErrorSeconds = clockErrorSeconds
        self.sourceWindow = sourceWindow
        self.reason = reason
        self.backupTrouble = backupTrouble
    }

    enum CodingKeys: String, CodingKey {
        case takenUptime = "taken_uptime"
        case takenSeconds = "taken_seconds"
        case timeline, state, received, archived, acknowledged, written, boot, reason
        case restorableTo = "restorable_to"
        case lateUntil = "late_until"
        case provedAt = "proved_at"
        case writtenUptime = "written_uptime"
        case provedUptime = "proved_uptime"
        case clockOffsetSeconds = "clock_offset_seconds"
        case clockErrorSeconds = "clock_error_seconds"
        case sourceWindow = "source_window"
        case backupTrouble = "backup_trouble"
    }
}

extension Watermark {
    /// A watermark older than this was left by a sidecar that no longer runs: one is written each
    /// second.
    package static let livingSeconds = 5.0

    /// Up to here the archive has to hold every byte of the timeline: it was durable, and the
    /// source may have been told so.
    package var claimed: UInt64 { max(archived, acknowledged ?? 0) }

    /// Whether a sidecar was at work when this was read, at `now` of the reader's clocks. One
    /// written in the future tells nothing: the clock was set back since, or it is another's.
    package func isLive(_ now: ClockReading) -> Bool {
        guard state != .stopped, let age = age(now) else { return false }
        return age <= Self.livingSeconds
    }

    /// Seconds since this was written; nil when it says that it was written in the future.
    package func age(_ now: ClockReading) -> Double? {
        now.seconds(
            since: ClockReading(
                wall: written, uptime: MonotonicTime(nanoseconds: writtenUptime), boot: boot))
    }

    /// Seconds since the proof behind `restorableTo` was started: what would be lost now. Nil
    /// without a proof, and when the clocks do not allow to say.
    package func exposure(_ now: ClockReading) -> Double? {
        guard restorableTo != nil, let provedAt else { return nil }
        let told = now.seconds(
            since: ClockReading(
                wall: provedAt, uptime: MonotonicTime(nanoseconds: provedUptime ?? 0),
                boot: provedUptime == nil ? "" : boot))
        // A wall clock that was set back makes no proof younger.
        guard let takenUptime, let takenSeconds, !boot.isEmpty, boot == now.boot else {
            return told
        }
        let passed = now.uptime.seconds(since: MonotonicTime(nanoseconds: takenUptime))
        return max(told ?? 0, takenSeconds + max(0, passed))
    }
}
