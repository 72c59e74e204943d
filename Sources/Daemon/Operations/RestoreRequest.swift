package import Model

/// What `restore` was asked to do.
package struct RestoreRequest: Sendable {
    /// Where a copy goes.
    package enum Place: Sendable, Hashable {
        /// As given, perhaps relative.
        case directory(String)
        /// A live, empty server.
        case server(SourceURL)
    }

    package var target: RecoveryTarget
    /// The folder that takes every source, each in a folder of its name; nil when each has its own.
    package var folder: String?
    /// Places of single sources.
    package var places: [SourceID: Place]
    /// Empty for all sources (of `places`, if any are named there).
    package var sources: [SourceID]
    package var isDryRun: Bool
    package var starts: Bool
    /// Nil for a free one.
    package var port: UInt16?
    package var force: Bool
    /// The user that owns the result; nil for the user that runs the program.
    package var user: String?
    /// Nil for the newest that can be reached.
    package var timeline: TimelineID?
    /// Old and new place of tablespaces.
    package var tablespaces: [String: String]

    /// What becomes of keys that live for a limited time.
    package var expiry = ExpiryPolicy.keep

    /// Folders of the server's own programs; empty for the usual places.
    package var programs: [String]

    package init(target: RecoveryTarget) {
        self.target = target
        places = [:]
        sources = []
        isDryRun = false
        starts = false
        force = false
        tablespaces = [:]
        programs = []
    }
}
