package import Model

/// `verify --json`.
package struct VerifyReport: Sendable, Encodable {
    package var sources: [VerifiedSource]
    /// What is wrong with the archive as a whole.
    package var problems: [String]
    /// Whether the content was read too; without it only names, footers and manifests were.
    package var deep: Bool

    package init(sources: [VerifiedSource], problems: [String] = [], deep: Bool) {
        self.sources = sources
        self.problems = problems
        self.deep = deep
    }

    /// Whether nothing was found wrong.
    package var isSound: Bool {
        problems.isEmpty && sources.allSatisfy { $0.problems.isEmpty }
    }
}

/// One source of `verify`.
package struct VerifiedSource: Sendable, Encodable {
    package var name: SourceID
    package var segments: Int
    package var backups: Int
    /// Size of everything looked at; with `deep` all of it was read.
    package var storedBytes: UInt64
    /// One sentence each, naming the file.
    package var problems: [String]
    /// What is no damage: what is missing and made up for by a later base backup, and that there is
    /// no base backup at all. One sentence each.
    package var warnings: [String]

    package init(
        name: SourceID, segments: Int, backups: Int, storedBytes: UInt64, problems: [String],
        warnings: [String] = []
    ) {
        self.name = name
        self.segments = segments
        self.backups = backups
        self.storedBytes = storedBytes
        self.problems = problems
        self.warnings = warnings
    }

    enum CodingKeys: String, CodingKey {
        case name, segments, backups, problems, warnings
        case storedBytes = "stored_bytes"
    }
}
