package import Model
import Platform

/// Everything that `restore` is told about one source.
package struct CopyRequest: Sendable {
    package var source: SourceID
    package var target: RecoveryTarget
    /// Absolute path of the folder that becomes the data directory.
    package var destination: String
    /// Nil for the timeline the source is on.
    package var timeline: TimelineID?
    /// `--tablespace OLD=NEW`.
    package var relocations: [String: String]
    /// For the fetch command that the server runs; absolute, without secrets.
    package var repositoryURL: String
    /// The repository's folder; nil where it is no folder of this machine.
    package var repositoryFolder: String?
    /// Absolute path of this program.
    package var program: String
    /// `--pg-bin`; empty for the usual places.
    package var programFolders: [String]
    package var force: Bool
    /// Start the server and bring it to the target.
    package var starts: Bool
    /// Nil for a free one.
    package var port: UInt16?
    /// Who owns the copy; needed when run as root.
    package var user: String?
    /// What becomes of keys that live for a limited time.
    package var expiry: ExpiryPolicy
    /// URL of a live, empty server to fill instead of the folder; may hold a password.
    package var server: String?
    /// URL of the source itself, where a configuration names it; may hold a password.
    package var sourceURL: String?
    /// Names of files that only the data directory of a server holds: nothing is restored below.
    package var dataDirectoryMarks: [String]
    /// Whom root would have to become to start the copy's server; nil for whoever restores.
    package var runsAs: String?

    package init(
        source: SourceID, target: RecoveryTarget, destination: String, repositoryURL: String,
        repositoryFolder: String? = nil, program: String, timeline: TimelineID? = nil,
        relocations: [String: String] = [:],
        programFolders: [String] = [], force: Bool = false, starts: Bool = false,
        port: UInt16? = nil, user: String? = nil, expiry: ExpiryPolicy = .keep,
        server: String? = nil, runsAs: String? = nil, dataDirectoryMarks: [String] = []
    ) {
        self.source = source
        self.target = target
        self.destination = destination
        self.timeline = timeline
        self.relocations = relocations
        self.repositoryURL = repositoryURL
        self.repositoryFolder = repositoryFolder
        self.program = program
        self.programFolders = programFolders
        self.force = force
        self.starts = starts
        self.port = port
        self.user = user
        self.expiry = expiry
        self.server = server
        self.runsAs = runsAs
        self.dataDirectoryMarks = dataDirectoryMarks
    }

    /// The command that the server's shell runs to get a file of the archive.
    ///
    /// - Parameter until: Where recovery stops; nil for the archive's end.
    func fetchCommand(until: String?) -> String {
        var words = [
            program, "wal", "fetch", "--repository", repositoryURL, "--source", source.name,
        ]
        if let until { words += ["--until", until] }
        return words.map(ShellWord.quoted).joined(separator: " ")
    }
}
