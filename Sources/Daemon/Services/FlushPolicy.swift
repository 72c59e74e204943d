package import Model

/// Decides when received bytes are made durable, and when the board is told. Pure.
///
/// * Somebody waits for us (a synchronous commit): at once, whenever all that came was taken.
/// * Nobody does: also at once after a quiet time, but no more often than every `spacing`. Whether
///   somebody waits is asked once a second only, so the spacing also bounds how long the first
///   commits wait after the source was switched to synchronous.
/// * More is on its way: when the oldest byte has waited for the interval; the pipeline makes bulk
///   data durable by itself.
package struct FlushPolicy: Sendable {
    /// Seconds between two flushes that nobody waits for, and between two reports to the board.
    package static let spacing = 0.02

    private let interval: Double
    private var lastFlush: MonotonicTime?
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
    ///   - isOverdue: the oldest byte has waited for the interval.
    package func isFlushDue(
        _ moment: Moment, hasUnflushed: Bool, isOverdue: Bool, isWaitedFor: Bool,
        now: MonotonicTime
    ) -> Bool {
        guard hasUnflushed else { return false }
        switch moment {
        case .bulk: return isOverdue
        case .quiet:
            guard !isWaitedFor, !isOverdue, let lastFlush else { return true }
            return now.seconds(since: lastFlush) >= min(Self.spacing, interval)
        }
    }

    /// When the next pull has to return at the latest.
    package func deadline(hasUnflushed: Bool, now: MonotonicTime) -> MonotonicTime {
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
