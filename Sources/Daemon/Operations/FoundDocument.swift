package import Model
package import Monitoring

/// `find --json`.
package struct FoundDocument: Sendable, Encodable {
    package var events: [FoundEvent]

    package init(events: [FoundEvent]) { self.events = events }
}

/// One event of `find`.
package struct FoundEvent: Sendable, Encodable {
    /// For `restore --to before:ID`.
    package var id: String
    package var source: SourceID
    package var action: String
    /// Where, in the database's own terms; empty when everywhere.
    package var place: String
    /// When it was done at the latest; nil when not known.
    package var time: Millis?
    package var timeline: TimelineID
    /// The newest position that does not contain it.
    package var before: String

    package init(_ event: DestructiveEvent, _ source: SourceID, _ style: any PositionStyle) {
        id = event.id.description
        self.source = source
        action = event.action
        place = event.place
        time = event.time.map(Millis.init)
        timeline = event.before.timeline
        before = style.text(event.before.ordinal)
    }
}
