package import Model

/// `/api/timeline`: what the time axis of the dashboard shows.
package struct TimelineDocument: Sendable, Encodable {
    package var time: Millis
    package var sources: [SourceTimeline]

    package init(time: CommitTime, sources: [SourceTimeline]) {
        self.time = Millis(time)
        self.sources = sources
    }
}

/// One source of `/api/timeline`; a key without a value is left out.
package struct SourceTimeline: Sendable, Encodable {
    package var name: SourceID
    package var kind: DatabaseKind
    /// The timeline that the source is on.
    package var timeline: TimelineID?
    package var windows: [Window] = []
    package var backups: [Backup] = []
    package var points: [Point] = []
    package var gaps: [Lost] = []
    package var events: [Event] = []
    /// How far the archive has been searched for them; nil where nothing can be found in it.
    package var eventSearch: Search?
    package var positions: [Place] = []

    /// A recovery window, with the positions at its ends.
    package struct Window: Sendable, Encodable {
        package var timeline: TimelineID
        package var from: Millis
        package var to: Millis
        package var first: String
        package var last: String
    }

    package struct Backup: Sendable, Encodable {
        package var id: String
        package var started: Millis
        package var finished: Millis
        package var bytes: UInt64
        package var storedBytes: UInt64
        package var position: String

        enum CodingKeys: String, CodingKey {
            case id, started, finished, bytes, position
            case storedBytes = "stored_bytes"
        }
    }

    package struct Point: Sendable, Encodable {
        package var name: String
        package var time: Millis
        package var position: String
    }

    /// What took much away at once.
    package struct Event: Sendable, Encodable {
        /// For `restore --to before:ID`.
        package var id: String
        package var action: String
        package var place: String
        /// When it was done at the latest.
        package var time: Millis
        /// The newest position that does not contain it.
        package var position: String
    }

    package enum Search: String, Sendable, Encodable { case running, complete }

    enum CodingKeys: String, CodingKey {
        case name, kind, timeline, windows, backups, points, gaps, events, positions
        case eventSearch = "event_search"
    }

    /// A gap, and the moments around it that can be restored.
    package struct Lost: Sendable, Encodable {
        package var timeline: TimelineID
        package var first: String
        package var last: String
        package var reason: String
        package var from: Millis
        /// Nil while nothing after it can be restored.
        package var to: Millis?
    }

    /// What is known of the position at one moment.
    package struct Place: Sendable, Encodable {
        package var time: Millis
        package var timeline: TimelineID
        package var atLeast: String?
        package var atMost: String?

        enum CodingKeys: String, CodingKey {
            case time, timeline
            case atLeast = "at_least"
            case atMost = "at_most"
        }
    }

    /// A source of which nothing is known.
    package init(name: SourceID, kind: DatabaseKind) {
        self.name = name
        self.kind = kind
    }
}
