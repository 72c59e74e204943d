/// `events.json`: what destructive events a source's sealed segments hold, and which of them have
/// been searched. A segment never changes, so one that was searched need not be read again. Pure.
package struct EventRecord: Hashable, Sendable, Codable {
    /// Events that are kept; of more the newest.
    package static let limit = 1000
    /// Goes up when a search finds what an older one did not: then everything is searched anew.
    package static let currentFormat = 2
    /// Stretches that are kept apart; more would be a disordered archive.
    private static let stretchLimit = 1000

    package private(set) var format = currentFormat
    /// What has been searched: disjoint stretches, by timeline and position.
    package private(set) var searched: [PositionRange] = []
    /// By timeline and position.
    package private(set) var events: [DestructiveEvent] = []

    package init() {}

    package func isSearched(_ range: PositionRange) -> Bool {
        searched.contains {
            $0.timeline == range.timeline && $0.first <= range.first && range.last <= $0.last
        }
    }

    /// Takes in what one segment holds.
    package mutating func add(_ range: PositionRange, _ found: [DestructiveEvent]) {
        let isTouched = { (one: PositionRange) in
            one.timeline == range.timeline && one.first <= range.last && range.first <= one.last
        }
        var whole = range
        for one in searched where isTouched(one) {
            whole.first = min(whole.first, one.first)
            whole.last = max(whole.last, one.last)
        }
        searched.removeAll(where: isTouched)
        searched.append(whole)
        searched.sort { ($0.timeline, $0.first) < ($1.timeline, $1.first) }
        if searched.count > Self.stretchLimit { searched.removeFirst() }
        events = Self.newest(Array(Set(events).union(found)))
    }

    /// The newest of them, by timeline and position.
    package static func newest(_ events: [DestructiveEvent]) -> [DestructiveEvent] {
        let kept = events.sorted {
            let oldest = CommitTime(microseconds: .min)
            return ($0.time ?? oldest, $0.before.ordinal) < ($1.time ?? oldest, $1.before.ordinal)
        }.suffix(limit)
        // Several of one transaction have one place.
        return kept.sorted {
            ($0.before.timeline, $0.before.ordinal, $0.action)
                < ($1.before.timeline, $1.before.ordinal, $1.action)
        }
    }
}
