package import Model

/// What verification found of one source, problems apart.
package struct SourceVerification: Hashable, Sendable, Codable {
    /// A stretch of one timeline without a hole, in the database's own notation.
    package struct Stretch: Hashable, Sendable, Codable {
        package var timeline: TimelineID
        package var first: String
        package var last: String
    }

    package var name: SourceID
    package var kind: DatabaseKind
    package var segments = 0
    /// Segments that are not sealed: the open one, and what ended timelines left.
    package var openSegments = 0
    /// History files.
    package var documents = 0
    package var baseBackups = 0
    /// Folders of base backups without a manifest: running, or interrupted and swept later.
    package var unfinishedBackups = 0
    package var restorePoints = 0
    package var gaps = 0
    /// Size of everything above in the store.
    package var storedBytes: UInt64 = 0
    package var stretches: [Stretch] = []

    package init(name: SourceID, kind: DatabaseKind) {
        self.name = name
        self.kind = kind
    }

    enum CodingKeys: String, CodingKey {
        case name, kind, segments, documents, gaps, stretches
        case openSegments = "open_segments"
        case baseBackups = "base_backups"
        case unfinishedBackups = "unfinished_backups"
        case restorePoints = "restore_points"
        case storedBytes = "stored_bytes"
    }
}
