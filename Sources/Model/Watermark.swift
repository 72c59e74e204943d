/// `watermark.json`: how far the archive of a source is proved, so that any process can tell.
///
/// Written after the bytes it speaks of are durable, so it is never ahead of the archive.
package struct Watermark: Hashable, Sendable, Codable {
    package var timeline: TimelineID
    package var state: StreamState
    package var received: UInt64
    package var archived: UInt64
    /// Source clock: everything committed at or before it is durable. Nil before the first proof.
    package var restorableTo: CommitTime?
    /// The sidecar's wall clock when the proof behind `restorableTo` was started.
    package var provedAt: CommitTime?
    /// The sidecar's wall clock when this file was written; a reader knows by it whether a sidecar
    /// lives.
    package var written: CommitTime
    /// Source clock minus sidecar clock in seconds, with its error bound; nil when not measured.
    package var clockOffsetSeconds: Double?
    package var clockErrorSeconds: Double?
    package var sourceWindow: SourceWindow?
    /// Why the stream is not streaming; empty when it is.
    package var reason: String

    package init(
        timeline: TimelineID, state: StreamState, received: UInt64, archived: UInt64,
        restorableTo: CommitTime?, provedAt: CommitTime?, written: CommitTime,
        clockOffsetSeconds: Double? = nil, clockErrorSeconds: Double? = nil,
        sourceWindow: SourceWindow? = nil, reason: String = ""
    ) {
        self.timeline = timeline
        self.state = state
        self.received = received
        self.archived = archived
        self.restorableTo = restorableTo
        self.provedAt = provedAt
        self.written = written
        self.clockOffsetSeconds = clockOffsetSeconds
        self.clockErrorSeconds = clockErrorSeconds
        self.sourceWindow = sourceWindow
        self.reason = reason
    }

    enum CodingKeys: String, CodingKey {
        case timeline, state, received, archived, written, reason
        case restorableTo = "restorable_to"
        case provedAt = "proved_at"
        case clockOffsetSeconds = "clock_offset_seconds"
        case clockErrorSeconds = "clock_error_seconds"
        case sourceWindow = "source_window"
    }
}

extension Watermark {
    /// A watermark older than this was left by a sidecar that no longer runs: one is written each
    /// second.
    package static let livingSeconds = 5.0

    /// Whether a sidecar was at work when this was read, at `now` of the reader's wall clock.
    package func isLive(_ now: CommitTime) -> Bool {
        state != .stopped && now.seconds(since: written) <= Self.livingSeconds
    }
}
