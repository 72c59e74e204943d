package import Model
import Repository

/// A stretch of history that can be restored to any moment, with the base backups that start it.
package struct Reach: Hashable, Sendable {
    package var window: RecoveryWindow
    /// Oldest base backup whose chain reaches `end`.
    package var backup: String
    /// From the backup's consistent position to the end of the chain.
    package var first: Position
    package var end: Position
}

/// Where the newest window ended when the archive was looked at, for whoever knows more since.
package struct NewestReach: Sendable {
    package var reach: Reach
    /// End of the newest of `doubts`.
    package var doubtEnds: CommitTime?

    /// What a newer watermark of the same line proves behind it; nil when that is nothing. It goes
    /// on from `reach`, unless something came late since: then it begins behind that.
    package func proved(by mark: Watermark) -> RecoveryWindow? {
        let known = reach.window
        guard mark.timeline == known.timeline, let proved = mark.restorableTo, proved > known.to
        else { return nil }
        let doubt = [doubtEnds, mark.lateUntil].compactMap { $0 }.max()
        guard let doubt, doubt > known.to else {
            return RecoveryWindow(timeline: known.timeline, from: known.to, to: proved)
        }
        guard doubt <= proved else { return nil }
        let from = doubt.wholeMillisecondUp
        return from <= proved
            ? RecoveryWindow(timeline: known.timeline, from: from, to: proved) : nil
    }
}

extension CatalogSnapshot {
    /// The windows of one line of descent, oldest first; each ends at a gap or at the archive's
    /// end.
    ///
    /// A window begins when its first base backup was finished, a moment at which the copy is
    /// surely consistent. It ends with what is proved (`restorable_to`) at the archive's end, and
    /// with the last commit known elsewhere.
    package func reaches(on path: TimelinePath) -> [Reach] {
        var found: [Reach] = []
        let loss = lateLoss(on: path)
        for backup in backups(on: path) {
            let chain = chain(
                on: path, from: Position(timeline: backup.timeline, ordinal: backup.start))
            guard chain.end.ordinal >= backup.end else { continue }
            var end = chain.end
            end.ordinal = min(end.ordinal, loss?.wholeUntil ?? .max)
            if let last = found.last, last.end == end { continue }
            let from = backup.finished.wholeMillisecondUp
            if let loss, backup.end > loss.wholeUntil || from > loss.wholeUntilTime { continue }
            let proved = provedTime(of: chain, on: path) ?? from
            found.append(
                Reach(
                    window: RecoveryWindow(
                        timeline: path.timeline, from: from, to: max(proved, from)),
                    backup: backup.id,
                    first: Position(timeline: backup.timeline, ordinal: backup.end), end: end))
        }
        return found
    }

    /// The same, for the line that the source is on together with those that lost history cut off
    /// before it.
    package func reaches(around path: TimelinePath) -> [Reach] {
        guard path.timeline == currentTimeline else { return reaches(on: path) }
        return lines.flatMap { reaches(on: $0) }
    }

    /// Recovery windows of a timeline; default: the one the source is on.
    ///
    /// They leave out what `reaches` spans although no moment in it can be restored: `doubts`.
    package func windows(on timeline: TimelineID? = nil) -> [RecoveryWindow] {
        guard let timeline = timeline ?? currentTimeline else { return [] }
        return stretches(around: path(to: timeline)).map(\.window)
    }

    /// What `windows` are made of: each with the stretch of history that it is part of.
    package func stretches(
        around path: TimelinePath
    ) -> [(window: RecoveryWindow, reach: Reach)] {
        let lines = path.timeline == currentTimeline ? lines : [path]
        var all: [(window: RecoveryWindow, reach: Reach)] = []
        // Where two lines reach the same time, a restore follows the newer one.
        var taken: [Outage] = []
        for line in lines.reversed() {
            let refused = Outage.joined(doubts(on: line) + taken)
            let reaches = reaches(on: line)
            let own = reaches.flatMap { reach in
                reach.window.without(refused).map { ($0, reach) }
            }
            all.insert(contentsOf: own, at: 0)
            taken += reaches.map { Outage(covering: $0.window) }
        }
        return all.suffix(Self.windowLimit)
    }

    /// The newest of all; nil without a base backup.
    package var newestReach: NewestReach? {
        guard let line = lines.last(where: { !reaches(on: $0).isEmpty }),
            let reach = reaches(on: line).last
        else { return nil }
        return NewestReach(reach: reach, doubtEnds: doubts(on: line).last?.to)
    }

    /// Windows that are told; of more than that the newest.
    private static let windowLimit = 500

    /// Whether what the watermark proves can be restored: some base backup's history reaches it on
    /// the line that the source is on. Without one nothing of it can, however much is archived.
    package var isProofRestorable: Bool {
        guard let watermark, let timeline = currentTimeline, watermark.timeline == timeline else {
            return false
        }
        return reaches(on: path(to: timeline)).contains { $0.end.ordinal >= watermark.claimed }
    }

    /// The stretch that is missing behind the newest base backup on the source's line although
    /// history goes on after it: nothing newer can be restored. Nil when there is none.
    package var newestHole: PositionRange? {
        guard let timeline = currentTimeline else { return nil }
        let path = path(to: timeline)
        guard let backup = backups(on: path).last else { return nil }
        return chain(
            on: path, from: Position(timeline: backup.timeline, ordinal: backup.start)
        ).hole
    }

    /// Up to which source time everything committed is in the chain, as far as is known.
    ///
    /// A commit's stamp is no proof: the source's clock may have stood wrong, and another commit of
    /// that time may be on its way. It counts only where the watermark does not speak for the end
    /// of the chain: before a gap, unless its record keeps what was proved there, and behind
    /// segments that were archived without a sidecar.
    package func provedTime(of chain: Chain, on path: TimelinePath) -> CommitTime? {
        let time = toldTime(of: chain, on: path)
        // Whatever was proved: it was before anybody knew that something was missing.
        guard let loss = lateLoss(on: path), chain.end.ordinal > loss.wholeUntil else {
            return time
        }
        return time.map { min($0, loss.wholeUntilTime) }
    }

    private func toldTime(of chain: Chain, on path: TimelinePath) -> CommitTime? {
        if let kept = gaps.first(where: {
            $0.timeline == chain.end.timeline && $0.first == chain.end.ordinal
        })?.restorableTo {
            return kept
        }
        let last = chain.segments.reversed().lazy.compactMap { lastCommits[$0.key] }.first
        guard let watermark, let proved = watermark.restorableTo, chain.hole == nil,
            watermark.timeline == path.timeline, chain.end.ordinal >= watermark.claimed
        else { return last }
        let goesBeyond = chain.segments.last.map {
            $0.state == .sealed && $0.range.first >= watermark.claimed
        }
        guard let last, goesBeyond == true else { return proved }
        return max(last, proved)
    }
}

extension RecoveryWindow {
    /// What is left of it: the two ends of an outage are exact themselves.
    package func without(_ outages: [Outage]) -> [RecoveryWindow] {
        var left: [RecoveryWindow] = []
        var rest = self
        for outage in outages where outage.to > rest.from && outage.from < rest.to {
            if outage.from >= rest.from {
                left.append(RecoveryWindow(timeline: timeline, from: rest.from, to: outage.from))
            }
            guard outage.to <= to else { return left }
            rest.from = outage.to.wholeMillisecondUp
            guard rest.from <= to else { return left }
        }
        return left + [rest]
    }
}

extension Outage {
    /// All of a window, its two ends too.
    fileprivate init(covering window: RecoveryWindow) {
        self.init(
            from: CommitTime(microseconds: max(window.from.microseconds, .min + 1) - 1),
            to: CommitTime(microseconds: min(window.to.microseconds, .max - 1) + 1))
    }
}

extension CommitTime {
    /// The first whole millisecond that is not before it: times are printed in milliseconds,
    /// rounded down, and the printed start of a window is itself restorable.
    var wholeMillisecondUp: CommitTime {
        let part = ((microseconds % 1000) + 1000) % 1000
        guard part != 0, microseconds <= .max - 1000 else { return self }
        return CommitTime(microseconds: microseconds - part + 1000)
    }
}
