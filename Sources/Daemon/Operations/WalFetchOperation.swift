package import Model

/// `wal fetch NAME PATH`: Postgres's restore_command.
package struct WalFetchOperation: Sendable {
    /// How a fetch ended. Anything else is an error, and ends with exit status 126.
    package enum Outcome: Sendable {
        /// The file lies at PATH, whole.
        case delivered
        /// The archive proves that nothing of this name exists: Postgres may end recovery.
        case endOfArchive
    }

    private let configuration: Configuration
    private let source: SourceID?
    private let name: String
    private let path: String

    /// - Parameter source: nil when the configuration or the archive has only one of the kind.
    package init(
        _ configuration: Configuration, source: SourceID?, name: String, path: String
    ) {
        self.configuration = configuration
        self.source = source
        self.name = name
        self.path = path
    }

    package func run() throws(TidemarkError) -> Outcome {
        throw TidemarkError(.failed, "wal fetch is not built yet")
    }
}
