package import Model

/// Decides when received bytes are made durable, and when the board is told. Pure.
///
/// * Somebody waits for us (a synchronous commit): at once, whenever all that came was taken.
/// * Nobody does, as far as is known: also at once after a quiet time, but flushing takes no more
///   than a fifth of the time, and no pause is longer than `spacing`. Whether somebody waits is
///   asked once a second only; so when the source was just switched to synchronous, a commit waits
///   for a few flushes at most, not for a timer made for nobody.
/// * More is on its way: when the oldest byte has waited for the interval; the pipeline makes bulk
///   data durable by itself.
package struct FlushPolicy: Sendable {
    /// Seconds: longest pause between two flushes that nobody waits for, and pause between two
    /// reports to the board.
    package static let spacing = 0.02
    /// Pause after a flush that nobody waited for, in times of what it took.
    private static let pauses = 4.0

    private let interval: Double
    private var lastFlush: MonotonicTime?
    /// Seconds until the next flush that nobody waits for.
    private var pause = 0.0
    /// Bytes wait for nothing but the end of the pause.
    private var isHeldBack = false
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
    package mutating func isFlushDue(
        _ moment: Moment, hasUnflushed: Bool, isOverdue: Bool, isWaitedFor: Bool,
        now: MonotonicTime
    ) -> Bool {
        isHeldBack = false
        guard hasUnflushed else { return false }
        switch moment {
        case .bulk: return isOverdue
        case .quiet:
            guard !isWaitedFor, !isOverdue, let lastFlush else { return true }
            isHeldBack = now.seconds(since: lastFlush) < pause
            return !isHeldBack
        }
    }

    /// When the next pull has to return at the latest.
    package func deadline(hasUnflushed: Bool, now: MonotonicTime) -> MonotonicTime {
        if isHeldBack, let lastFlush { return max(now, lastFlush.advanced(bySeconds: pause)) }
        let waits = hasUnflushed || isReportPending ? min(Self.spacing, interval) : 1
        return now.advanced(bySeconds: waits)
    }

    /// - Parameter started: when the flush that has just ended began.
    package mutating func flushed(_ now: MonotonicTime, since started: MonotonicTime) {
        lastFlush = now
        pause = min(Self.pauses * now.seconds(since: started), Self.spacing, interval)
    }

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
