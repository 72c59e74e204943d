package import Model

/// Decides when received bytes are made durable, and when the board is told. Pure.
///
/// * Somebody waits for us (a synchronous commit): at once, whenever all that came was taken.
/// * Nobody does, as far as is known: also at once after a quiet time, but no more often than every
///   `spacing` while more keeps coming.
/// * Whether somebody waits is asked once a second only. But who waits for us writes nothing more,
///   so bytes that are held back while nothing follows them for `silence` are flushed, and for the
///   next second so is everything, as if somebody had said that he waits.
/// * More is on its way: when the oldest byte has waited for the interval; the pipeline makes bulk
///   data durable by itself.
package struct FlushPolicy: Sendable {
    /// Seconds between two flushes that nobody waits for, and between two reports to the board.
    package static let spacing = 0.02
    /// Seconds without a further byte that show that somebody may be waiting.
    package static let silence = 0.002
    /// Seconds for which that is believed; then the source itself has been asked.
    private static let belief = 1.5

    private let interval: Double
    private var lastFlush: MonotonicTime?
    /// Up to where bytes had come, and when that changed last.
    private var lastReceived: UInt64 = 0
    private var lastArrival: MonotonicTime?
    /// Until when somebody is thought to wait.
    private var believedUntil: MonotonicTime?
    /// When the bytes that are held back are looked at again.
    private var heldUntil: MonotonicTime?
    private var lastReport: MonotonicTime?
    private var isReportPending = false

    /// - Parameter interval: seconds a received byte may wait; `flush.interval`.
    package init(interval: Double) { self.interval = interval }

    /// Why a pull returned, as far as flushing goes.
    package enum Moment: Sendable {
        /// More bytes may be on their way.
        case bulk
        /// Everything that had arrived was taken, or nothing came.
        case quiet
    }

    /// Whether to flush now.
    ///
    /// - Parameters:
    ///   - received: up to where bytes have come; nil when all of them are flushed.
    ///   - isOverdue: the oldest byte has waited for the interval.
    package mutating func isFlushDue(
        _ moment: Moment, received: UInt64?, isOverdue: Bool, isWaitedFor: Bool,
        now: MonotonicTime
    ) -> Bool {
        heldUntil = nil
        guard let received else { return false }
        if received != lastReceived || lastArrival == nil {
            lastReceived = received
            lastArrival = now
        }
        switch moment {
        case .bulk: return isOverdue
        case .quiet:
            if isWaitedFor || isOverdue { return true }
            return !holdsBack(now)
        }
    }

    /// Nobody is known to wait: whether the bytes wait a little for more to come.
    private mutating func holdsBack(_ now: MonotonicTime) -> Bool {
        guard let lastFlush, let lastArrival else { return false }
        if let believedUntil, now < believedUntil { return false }
        let next = lastFlush.advanced(bySeconds: min(Self.spacing, interval))
        if next <= now { return false }
        let quiet = lastArrival.advanced(bySeconds: Self.silence)
        if quiet <= now {
            believedUntil = now.advanced(bySeconds: Self.belief)
            return false
        }
        heldUntil = min(next, quiet)
        return true
    }

    /// When the next pull has to return at the latest.
    package func deadline(hasUnflushed: Bool, now: MonotonicTime) -> MonotonicTime {
        if let heldUntil { return heldUntil }
        let waits = hasUnflushed || isReportPending ? min(Self.spacing, interval) : 1
        return now.advanced(bySeconds: waits)
    }

    package mutating func flushed(_ now: MonotonicTime) { lastFlush = now }

    /// New positions were acknowledged; true when the board is to be told of them now.
    ///
    /// The board serves people and proofs, not commits: a lock and a broadcast for every commit
    /// would slow those down.
    package mutating func isReportDue(_ now: MonotonicTime) -> Bool {
        if let lastReport, now.seconds(since: lastReport) < Self.spacing {
            isReportPending = true
            return false
        }
        lastReport = now
        isReportPending = false
        return true
    }
}
