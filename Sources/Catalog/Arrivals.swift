package import Model
import Repository

/// What one segment tells of when its content came, where times are those of arrival.
package struct Arrivals: Hashable, Sendable {
    /// When the first of it was made at the earliest; nil when it holds nothing with a time.
    package let earliest: CommitTime?
    /// Its stretches that came late, by position.
    package let late: [TimeIndexEntry]
    /// Whether its first one did: then the end of the segment before it has to be known exactly.
    let beginsLate: Bool
    /// The same as `earliest` for the last of it.
    private let last: CommitTime?
    /// The same for the last before a place where another history leaves this one; none where
    /// nothing stands before it.
    private let forks: [UInt64: CommitTime?]

    /// - Parameters:
    ///   - index: ascending by position, as exact as the archive can tell.
    ///   - forks: where other histories leave it.
    package init(_ index: [TimeIndexEntry], forks: [UInt64] = []) {
        var known: [TimeIndexEntry] = []
        for entry in index { known.append(entry.made(after: known.last?.earliest)) }
        earliest = known.first?.earliest
        late = known.filter(\.isLate)
        beginsLate = index.first?.isLate ?? false
        last = known.last?.earliest
        var found: [UInt64: CommitTime?] = [:]
        for fork in forks {
            found[fork] = .some(known.last { $0.position < fork }?.earliest)
        }
        self.forks = found
    }

    /// What stands behind its content before `end` was made after this.
    ///
    /// At a fork that was not asked about only the segment's start is known.
    func floor(before end: UInt64, content: UInt64) -> CommitTime? {
        if let asked = forks[end] { return asked }
        return content <= end ? last : earliest
    }
}

/// A time to which a restore is refused, while its two ends are exact. Nobody knows what had been
/// done by then: what was made in it came all at once, after an outage of the sidecar or the
/// network. Or there were two histories, and which one is meant has to be said.
package struct Outage: Hashable, Sendable {
    package var from: CommitTime
    package var to: CommitTime

    package init(from: CommitTime, to: CommitTime) {
        self.from = from
        self.to = to
    }

    package func contains(_ time: CommitTime) -> Bool { from < time && time < to }

    /// The same times, in order and without overlaps.
    package static func joined(_ outages: [Outage]) -> [Outage] {
        var joined: [Outage] = []
        for outage in outages.sorted(by: { $0.from < $1.from }) where outage.from < outage.to {
            if let last = joined.last, outage.from < last.to {
                joined[joined.count - 1].to = max(last.to, outage.to)
            } else {
                joined.append(outage)
            }
        }
        return joined
    }
}

extension CatalogSnapshot {
    /// Times on a line of descent to which it cannot be restored although its history is whole;
    /// none where the stream itself carries the times.
    ///
    /// What a segment that was not looked at holds is not known: everything between its neighbours
    /// counts as in doubt.
    package func outages(on path: TimelinePath) -> [Outage] {
        guard isTimedByArrival else { return [] }
        var found: [Outage] = []
        // When what comes next was made at the earliest: a restore asks no less of it.
        var floor = CommitTime(microseconds: .min)
        var isBlind = false
        for section in path.sections {
            for segment in segments[section.timeline] ?? []
            where segment.range.first < section.end && contentEnd(segment) > section.first {
                guard let arrivals = arrivals[segment.key] else {
                    isBlind = true
                    continue
                }
                if isBlind, let first = arrivals.earliest {
                    found.append(Outage(from: floor, to: first))
                    isBlind = false
                }
                for entry in arrivals.late where entry.position < section.end {
                    let known = entry.made(after: floor)
                    guard known.isLate else { continue }
                    found.append(Outage(from: known.earliest, to: known.latest))
                }
                let own = arrivals.floor(before: section.end, content: contentEnd(segment))
                floor = max(floor, own ?? floor)
            }
        }
        if isBlind { found.append(Outage(from: floor, to: CommitTime(microseconds: .max))) }
        return Outage.joined(found)
    }

    /// Whatever is refused on a line although its history is whole: outages, and times at which an
    /// abandoned branch has a claim as well.
    package func doubts(on path: TimelinePath) -> [Outage] {
        Outage.joined(outages(on: path) + (branches[path.timeline] ?? []).compactMap(\.doubt))
    }

    /// The line that a restore to a moment follows; nil when none reaches it.
    package func line(at time: CommitTime) -> TimelinePath? {
        lines.last { line in
            reaches(on: line).contains { $0.window.from <= time && time <= $0.window.to }
        }
    }

    /// The newest line on which a position can be restored; nil where it can on none.
    package func line(at ordinal: UInt64) -> TimelinePath? {
        lines.last { line in
            reaches(on: line).contains {
                $0.first.ordinal <= ordinal && ordinal <= $0.end.ordinal
            }
        }
    }

    /// The newest line that has history up to a position, though perhaps no way to restore it.
    package func line(holding ordinal: UInt64) -> TimelinePath? {
        lines.last { line in
            line.sections.contains { section in
                guard section.first < ordinal, ordinal <= section.end else { return false }
                return (segments[section.timeline] ?? []).contains {
                    $0.range.first < ordinal && ordinal <= contentEnd($0)
                }
            }
        }
    }

    /// The outage that a moment lies in, on the line that a restore to it would follow.
    package func outage(at time: CommitTime) -> Outage? {
        line(at: time).flatMap { outages(on: $0).first { $0.contains(time) } }
    }

    /// The branch for whose sake a restore to a moment is refused.
    package func branch(claiming time: CommitTime) -> AbandonedBranch? {
        guard let timeline = line(at: time)?.timeline ?? currentTimeline else { return nil }
        return branches[timeline]?.last { $0.claims(time) }
    }
}
