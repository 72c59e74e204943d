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

/// The name of a destructive event: the beginning of its timeline's name, `-`, and the position
/// just before it.
package struct EventID: Hashable, Sendable, CustomStringConvertible {
    /// Enough to tell the timelines of one source apart.
    private static let prefixLength = 8

    package let timelinePrefix: String
    package let ordinal: UInt64

    package init(_ before: Position) {
        timelinePrefix = String(before.timeline.name.prefix(Self.prefixLength))
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

    package var description: String { "\(timelinePrefix)-\(ordinal)" }

    /// Whether the event may lie on this timeline.
    package func isOn(_ timeline: TimelineID) -> Bool {
        timeline.name == timelinePrefix
            || timelinePrefix.utf8.count == Self.prefixLength
                && timeline.name.hasPrefix(timelinePrefix)
    }
}
