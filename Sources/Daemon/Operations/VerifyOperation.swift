package import Model

/// `verify`: reads the archive back.
package struct VerifyOperation: Sendable {
    private let configuration: Configuration
    private let sources: [SourceID]
    /// Decompress and checksum the content too.
    private let isDeep: Bool
    private let progress: any ProgressObserver

    /// - Parameter sources: empty for every source of the archive.
    package init(
        _ configuration: Configuration, sources: [SourceID], isDeep: Bool,
        progress: any ProgressObserver
    ) {
        self.configuration = configuration
        self.sources = sources
        self.isDeep = isDeep
        self.progress = progress
    }

    /// Problems are in the report; an error means that reading itself failed.
    package func run() throws(TidemarkError) -> VerifyReport {
        throw TidemarkError(.failed, "verify is not built yet")
    }
}
