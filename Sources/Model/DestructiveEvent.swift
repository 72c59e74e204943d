/// Something in the history that took much away at once; what `find` lists.
package struct DestructiveEvent: Hashable, Sendable, Codable {
    /// The newest place that does not contain it yet: recovery to here undoes it.
    package var before: Position
    /// What was done, in the database's own words: `FLUSHALL`, `DEL of 512 keys`.
    package var action: String
    /// Where, in the database's own terms: `database 3`; empty when everywhere.
    package var place: String
    /// When it was done at the latest, by the source's clock; nil when not known.
    package var time: CommitTime?

    package init(before: Position, action: String, place: String, time: CommitTime?) {
        self.before = before
        self.action = action
        self.place = place
        self.time = time
    }

    /// The name that `--to before:` takes.
    package var id: EventID { EventID(before) }
}

/// The name of a destructive event: the beginning of its timeline's name and what follows the first
/// dot in it, `-`, and the position just before it.
package struct EventID: Hashable, Sendable, CustomStringConvertible {
    /// Enough to tell the timelines of one source apart, but for those of one replica set: `a1…`,
    /// `a1….2`, `a1….changes`.
    private static let prefixLength = 8

    package let timelinePrefix: String
    package let ordinal: UInt64

    package init(_ before: Position) {
        timelinePrefix = Self.short(before.timeline.name)
        ordinal = before.ordinal
    }

    /// Nil for a text that is no such name.
    package init?(_ text: String) {
        guard let dash = text.lastIndex(of: "-"), dash != text.startIndex,
            let ordinal = UInt64(text[text.index(after: dash)...])
        else { return nil }
        timelinePrefix = String(text[..<dash])
        self.ordinal = ordinal
    }

    private static func short(_ name: String) -> String {
        let suffix = name.firstIndex(of: ".").map { name[$0...] } ?? ""
        return String(name.prefix(prefixLength).prefix { $0 != "." }) + String(suffix)
    }

    package var description: String { "\(timelinePrefix)-\(ordinal)" }

    /// Whether the event may lie on this timeline.
    package func isOn(_ timeline: TimelineID) -> Bool {
        timeline.name == timelinePrefix || Self.short(timeline.name) == timelinePrefix
    }
}
