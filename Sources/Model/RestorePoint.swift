/// A named position in one source, made by `mark` (`<source>/points/<name>.json`).
package struct RestorePoint: Hashable, Sendable, Codable {
    package var name: String
    package var timeline: TimelineID
    /// Start of the record that carries the name; recovery stops just after it.
    package var position: UInt64
    package var time: CommitTime
    /// First position after the record; nil where it is not known.
    package var end: UInt64?

    package init(
        name: String, timeline: TimelineID, position: UInt64, time: CommitTime, end: UInt64? = nil
    ) {
        self.name = name
        self.timeline = timeline
        self.position = position
        self.time = time
        self.end = end
    }
}
