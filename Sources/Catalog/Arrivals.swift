package import Model
import Repository

/// What one segment tells of when its content came, where times are those of arrival.
package struct Arrivals: Hashable, Sendable {
    /// When the first of it was made at the earliest; nil when it holds nothing with a time.
    package var earliest: CommitTime?
    /// When the last of it came.
    package var latest: CommitTime?
    /// Its stretches that came late, by position.
    package var late: [TimeIndexEntry]

    /// - Parameter index: ascending by position, as exact as the archive can tell.
    package init(_ index: [TimeIndexEntry]) {
        earliest = index.map(\.earliest).min()
        latest = index.map(\.latest).max()
        late = index.filter(\.isLate)
    }
}

/// A time of which nobody knows what had been done by then: what was made in it came all at once,
/// after an outage of the sidecar or the network. A restore to a moment inside is refused; its two
/// ends are exact.
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
        var latest = CommitTime(microseconds: .min)
        var isBlind = false
        for section in path.sections {
            for segment in segments[section.timeline] ?? []
            where segment.range.first < section.end && contentEnd(segment) > section.first {
                guard let arrivals = arrivals[segment.key] else {
                    isBlind = true
                    continue
                }
                if isBlind, let first = arrivals.earliest {
                    found.append(Outage(from: latest, to: first))
                    isBlind = false
                }
                found += arrivals.late.filter { $0.position < section.end }.map {
                    Outage(from: $0.earliest, to: $0.latest)
                }
                latest = max(latest, arrivals.latest ?? latest)
            }
        }
        if isBlind { found.append(Outage(from: latest, to: CommitTime(microseconds: .max))) }
        return Outage.joined(found)
    }

    /// The outage that a moment lies in, on the line that a restore to it would follow.
    package func outage(at time: CommitTime) -> Outage? {
        let line = lines.last { line in
            reaches(on: line).contains { $0.window.from <= time && time <= $0.window.to }
        }
        return line.flatMap { outages(on: $0).first { $0.contains(time) } }
    }
}
