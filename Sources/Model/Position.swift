/// A place in the history of a source: Postgres LSN, MongoDB optime, Redis replication offset.
///
/// Positions of different timelines are not ordered; compare `ordinal` only after comparing
/// `timeline`.
package struct Position: Hashable, Sendable, Codable {
    package var timeline: TimelineID
    /// The first byte (or entry) that is not yet part of the history before this position.
    package var ordinal: UInt64

    package init(timeline: TimelineID, ordinal: UInt64) {
        self.timeline = timeline
        self.ordinal = ordinal
    }
}

/// One unbroken history: a Postgres timeline in decimal, a replica-set identity, a replication id.
package struct TimelineID: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    package let name: String

    package init(_ name: String) { self.name = name }

    package var description: String { name }

    /// Numeric names sort by number, others as text.
    package static func < (a: TimelineID, b: TimelineID) -> Bool {
        if let x = UInt64(a.name), let y = UInt64(b.name) { return x < y }
        return a.name < b.name
    }

    package init(from decoder: any Decoder) throws {
        name = try decoder.singleValueContainer().decode(String.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
}

/// The half-open stretch `[first, last)` of one timeline.
package struct PositionRange: Hashable, Sendable, Codable {
    package var timeline: TimelineID
    package var first: UInt64
    package var last: UInt64

    /// - Precondition: `first <= last`.
    package init(timeline: TimelineID, first: UInt64, last: UInt64) {
        precondition(first <= last, "a position range runs forward: \(first) to \(last)")
        self.timeline = timeline
        self.first = first
        self.last = last
    }

    package var isEmpty: Bool { first == last }
    package var length: UInt64 { last - first }

    package func contains(_ position: Position) -> Bool {
        position.timeline == timeline && (first..<last).contains(position.ordinal)
    }
}
