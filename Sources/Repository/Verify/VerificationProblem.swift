package import Model

/// One thing in the archive that is not as it should be.
package struct VerificationProblem: Hashable, Sendable, Codable {
    package enum Kind: String, Sendable, Codable {
        /// It does not hold what it claims.
        case damaged
        /// It must exist and does not.
        case missing
        /// The store would not give it out.
        case unreadable
        /// It is missing, and no restore needs it, or a gap record tells of it and a base backup
        /// behind it makes up for it.
        case passed
        /// It was damaged, and a copy of what it was is kept.
        case setAside = "set_aside"
        /// It holds something of which nobody knows from it alone whether it is whole.
        case unchecked
        /// It is as it was read, and what was read was found unsound then (failed page checksums).
        case unsound
    }

    /// Whether something can no longer be restored that could be mended, or is damaged.
    package var isProblem: Bool {
        switch kind {
        case .damaged, .missing, .unreadable: true
        case .passed, .setAside, .unchecked, .unsound: false
        }
    }

    /// Nil when it concerns the whole archive.
    package var source: SourceID?
    /// The object, or the folder when an object is missing.
    package var key: String
    package var kind: Kind
    /// One sentence, lower case, without full stop.
    package var what: String
    package var remedy: String

    package init(
        source: SourceID?, key: String, kind: Kind, what: String, remedy: String
    ) {
        self.source = source
        self.key = key
        self.kind = kind
        self.what = what
        self.remedy = remedy
    }

    /// What an error of reading `key` means for the archive.
    init(_ error: TidemarkError, _ key: ObjectKey, of source: SourceID?) {
        let kind: Kind
        switch error.code {
        case .archiveDamaged, .contentConflict: kind = .damaged
        case .notFound, .archiveIncomplete: kind = .missing
        default: kind = .unreadable
        }
        var what = error.message
        if let cause = error.cause { what += ": \(cause)" }
        self.init(
            source: source, key: key.path, kind: kind, what: what,
            remedy: error.remedy.isEmpty
                ? "restore this file from a copy of the archive" : error.remedy)
    }
}
