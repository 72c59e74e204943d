package import Model

/// How a source's exposure stands against its objective, without flapping. Pure.
///
/// Worse is shown at once. Better is shown only after the exposure has been clearly below the limit
/// for `settleSeconds`: the exposure of a source that is asked once a second swings by a second,
/// and would cross a limit near it again and again.
package struct ObjectiveTracker: Sendable {
    /// Seconds for which it has to be better.
    package static let settleSeconds = 5.0
    /// What is clearly below a limit: this part of it.
    package static let recoveryPart = 0.8

    private var shown = ObjectiveState.met
    private var betterSince: MonotonicTime?
    private var wasKnown = false

    package init() {}

    /// Takes a look at the exposure; nil when nothing is proved.
    package mutating func observe(
        _ exposure: Double?, rpo: Double, now: MonotonicTime
    ) -> ObjectiveState {
        let bare = ObjectiveState(exposure: exposure, rpo: rpo)
        defer { wasKnown = exposure != nil }
        // A number after none is news, not a swing.
        guard wasKnown, let exposure, bare.badness < shown.badness else {
            shown = bare
            betterSince = nil
            return shown
        }
        let limit = shown == .breached ? rpo : rpo / 2
        guard exposure <= limit * Self.recoveryPart else {
            betterSince = nil
            return shown
        }
        let since = betterSince ?? now
        betterSince = since
        if now.seconds(since: since) >= Self.settleSeconds {
            shown = bare
            betterSince = nil
        }
        return shown
    }
}

extension ObjectiveState {
    fileprivate var badness: Int {
        switch self {
        case .met: 0
        case .atRisk: 1
        case .breached: 2
        }
    }
}
