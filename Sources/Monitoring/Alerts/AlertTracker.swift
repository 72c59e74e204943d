package import Model

/// Decides when an alert about one source is raised and when it is taken back. Pure.
///
/// Trouble raises an alert at once. It has recovered only after it was clearly over for
/// `settleSeconds`, so that an exposure that swings about its objective is one alert and not many.
package struct AlertTracker: Sendable {
    /// Seconds for which all must be well.
    package static let settleSeconds = 10.0
    /// A breach is over at this part of the objective.
    package static let recoveryPart = 0.8
    /// Seconds that a stream may take to connect, and a repository to be written to: a restart of
    /// either is no news.
    package static let connectSeconds = 30.0
    /// Seconds, and at most the objective, for which it may be unknown what would be lost: a new
    /// source has no base backup at first.
    package static let unknownSeconds = 60.0

    /// What a look says about one kind of trouble.
    private enum Sign { case trouble, calm, unclear }

    private struct Raised: Sendable {
        var since: CommitTime
        var calmSince: MonotonicTime?
    }

    private var raised: [AlertEvent: Raised] = [:]
    private var connectingSince: MonotonicTime?
    private var repositorySince: MonotonicTime?
    private var unknownSince: MonotonicTime?
    private var gaps: Int?

    package init() {}

    /// What is raised now, with its beginning.
    package var standing: [AlertEvent: CommitTime] { raised.mapValues(\.since) }

    /// Takes over what an earlier process has raised and told: it is not told again, and is taken
    /// back once it is over.
    package mutating func takeUp(_ known: [AlertEvent: CommitTime]) {
        raised.merge(known.mapValues { Raised(since: $0) }) { own, _ in own }
    }

    /// Takes a look at the source, and returns what is to be told.
    ///
    /// - Parameters:
    ///   - repository: how the repository is; `ok`, or why it does not take what is to be archived.
    package mutating func observe(
        _ source: SourceStatus, repository: String = "ok", now: MonotonicTime, wall: CommitTime
    ) -> [Alert] {
        let isAway = source.state == .connecting || source.state == .stopped
        connectingSince = isAway ? connectingSince ?? now : nil
        repositorySince = repository == "ok" ? nil : repositorySince ?? now
        unknownSince = source.exposureSeconds == nil ? unknownSince ?? now : nil
        let signs: [(AlertEvent, Sign)] = [
            (.breached, breach(source, now)), (.gap, source.isRead ? gap(source) : .unclear),
            (.stalled, stall(source, now)), (.windowShort, window(source)),
        ]
        // Nothing is news while this sidecar is being stopped.
        guard !source.isOurStop else { return [] }
        let why = repositorySince == nil ? [] : ["the repository: \(repository)"]
        let window = source.sourceWindow?.shortage.map { [$0] } ?? []
        return signs.compactMap { event, sign in
            let parts = [source.reason] + why + (event == .windowShort ? window : [])
            let reason = parts.filter { !$0.isEmpty }.joined(separator: "; ")
            return step(event, sign, now, wall).map { step, since in
                Alert(
                    event: event, step: step, source: source.name, kind: source.kind, since: since,
                    time: wall, exposureSeconds: source.exposureSeconds,
                    rpoSeconds: source.rpoSeconds, state: source.state, reason: reason)
            }
        }
    }

    private mutating func step(
        _ event: AlertEvent, _ sign: Sign, _ now: MonotonicTime, _ wall: CommitTime
    ) -> (Alert.Step, CommitTime)? {
        guard var known = raised[event] else {
            guard sign == .trouble else { return nil }
            raised[event] = Raised(since: wall)
            return (.raised, wall)
        }
        known.calmSince = sign == .calm ? known.calmSince ?? now : nil
        if let calm = known.calmSince, now.seconds(since: calm) >= Self.settleSeconds {
            raised[event] = nil
            return (.recovered, known.since)
        }
        raised[event] = known
        return nil
    }

    private func breach(_ source: SourceStatus, _ now: MonotonicTime) -> Sign {
        guard let exposure = source.exposureSeconds else {
            let patience = min(Self.unknownSeconds, source.rpoSeconds)
            let unknown = unknownSince.map { now.seconds(since: $0) } ?? 0
            return unknown > patience ? .trouble : .unclear
        }
        if exposure > source.rpoSeconds { return .trouble }
        return exposure <= source.rpoSeconds * Self.recoveryPart ? .calm : .unclear
    }

    /// A gap that was mended before anybody looked is told too: that history stays lost.
    private mutating func gap(_ source: SourceStatus) -> Sign {
        defer { gaps = source.gaps.count }
        if source.state == .gap || source.gaps.count > gaps ?? source.gaps.count {
            return .trouble
        }
        return .calm
    }

    /// How much is left is asked for now and then; while nobody answers nothing is known.
    private func window(_ source: SourceStatus) -> Sign {
        guard let share = source.sourceWindow?.share else { return .unclear }
        if share < SourceWindow.shortShare { return .trouble }
        return share >= SourceWindow.longShare ? .calm : .unclear
    }

    private func stall(_ source: SourceStatus, _ now: MonotonicTime) -> Sign {
        if let since = repositorySince {
            return now.seconds(since: since) >= Self.connectSeconds ? .trouble : .unclear
        }
        switch source.state {
        case .stalled: return .trouble
        case .connecting, .stopped:
            return (connectingSince.map { now.seconds(since: $0) } ?? 0) >= Self.connectSeconds
                ? .trouble : .unclear
        case .streaming, .catchingUp: return .calm
        case .gap: return .unclear
        }
    }
}
