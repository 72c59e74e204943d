package import Model

/// What `wal fetch NAME PATH` is told.
package struct FetchRequest: Sendable {
    package var source: SourceID
    /// `%f`: the file the server wants.
    package var name: String
    /// `%p`: where it wants it, relative to the working directory, which is the data directory.
    package var path: String
    /// Where recovery stops: a segment is good enough when it holds everything up to here. Nil:
    /// everything that was acknowledged is needed.
    package var until: UInt64?
    /// How long failures are retried before giving up. Default 60 s.
    package var retrySeconds: Double
    /// Starts the reader ahead; nil for none.
    package var prefetch: PrefetchLaunch?

    package init(
        source: SourceID, name: String, path: String, until: UInt64? = nil,
        retrySeconds: Double = 60,
        prefetch: PrefetchLaunch? = nil
    ) {
        self.source = source
        self.name = name
        self.path = path
        self.until = until
        self.retrySeconds = retrySeconds
        self.prefetch = prefetch
    }
}

/// How the reader ahead is started: this program, with these arguments, NAME following.
package struct PrefetchLaunch: Sendable {
    package var program: String
    package var arguments: [String]
    /// The data directory, which holds the spool.
    package var directory: String

    package init(program: String, arguments: [String], directory: String = ".") {
        self.program = program
        self.arguments = arguments
        self.directory = directory
    }
}

/// How a fetch ended. Everything else is an error and must end in exit 126 or more: with 2 to 125
/// the server would take it for the end of the archive and promote short.
package enum FetchOutcome: Sendable, Hashable {
    /// The file is at its path: exit 0.
    case delivered
    /// The archive proves that nothing follows: exit 1; the server ends recovery and promotes.
    case nothingFollows
}
