/// A named position in one source, made by `mark` (`<source>/points/<name>.json`).
package struct RestorePoint: Hashable, Sendable, Codable {
    package var name: String
    package var timeline: TimelineID
    /// Start of the record that carries the name; recovery stops just after it.
    package var position: UInt64
    package var time: CommitTime

    package init(name: String, timeline: TimelineID, position: UInt64, time: CommitTime) {
        self.name = name
        self.timeline = timeline
        self.position = position
        self.time = time
    }
}
