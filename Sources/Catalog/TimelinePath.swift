package import Model

/// One line of descent, from the first timeline to the one it is named for.
///
/// History runs through each section up to the position where the next timeline left it.
package struct TimelinePath: Hashable, Sendable {
    /// The part of one timeline that belongs to the path: `[first, end)`.
    package struct Section: Hashable, Sendable {
        package var timeline: TimelineID
        package var first: UInt64
        /// `UInt64.max` for the last section.
        package var end: UInt64
    }

    package let timeline: TimelineID
    package let sections: [Section]

    /// - Parameter ancestors: oldest first.
    package init(_ timeline: TimelineID, ancestors: [Ancestor]) {
        self.timeline = timeline
        var sections: [Section] = []
        var first: UInt64 = 0
        for ancestor in ancestors {
            sections.append(Section(timeline: ancestor.timeline, first: first, end: ancestor.end))
            first = ancestor.end
        }
        self.sections = sections + [Section(timeline: timeline, first: first, end: .max)]
    }

    /// The part of `timeline` that is on the path; nil when the path never runs through it.
    package func section(of timeline: TimelineID) -> Section? {
        sections.first { $0.timeline == timeline }
    }

    /// Whether history reaches this place on the way to the path's end.
    package func passes(_ position: Position) -> Bool {
        guard let section = section(of: position.timeline) else { return false }
        return section.first <= position.ordinal && position.ordinal <= section.end
    }

    /// The timeline whose history holds the byte before `ordinal`.
    package func timeline(endingAt ordinal: UInt64) -> TimelineID {
        sections.first { ordinal <= $0.end }?.timeline ?? timeline
    }
}
