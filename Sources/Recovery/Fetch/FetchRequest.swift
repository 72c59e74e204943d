package import Model

/// What `wal fetch NAME PATH` is told.
package struct FetchRequest: Sendable {
    package var source: SourceID
    /// `%f`: the file the server wants.
    package var name: String
    /// `%p`: where it wants it, relative to the working directory, which is the data directory.
    package var path: String
    /// How long failures are retried before giving up. Default 60 s.
    package var retrySeconds: Double
    /// Starts the reader ahead; nil for none.
    package var prefetch: PrefetchLaunch?
    /// The position at which the server is told to stop; nil when it recovers to the end. What lies
    /// behind it is asked for by reading ahead only, so it may be called absent without proof: a
    /// server that has not reached its target then fails, it never promotes (PostgreSQL 13 and
    /// later: "recovery ended before configured recovery target was reached", xlogrecovery.c).
    package var until: String?

    package init(
        source: SourceID, name: String, path: String, retrySeconds: Double = 60,
        prefetch: PrefetchLaunch? = nil, until: String? = nil
    ) {
        self.source = source
        self.name = name
        self.path = path
        self.retrySeconds = retrySeconds
        self.prefetch = prefetch
        self.until = until
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
