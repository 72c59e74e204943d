package import Model

/// `backup`: a base backup now, of the named sources or of all, one after the other.
package struct BackupOperation: Sendable {
    private let configuration: Configuration
    private let sources: [SourceID]
    private let progress: any ProgressObserver

    /// - Parameter sources: empty for all.
    package init(
        _ configuration: Configuration, sources: [SourceID], progress: any ProgressObserver
    ) {
        self.configuration = configuration
        self.sources = sources
        self.progress = progress
    }

    /// The backups taken, in order.
    package func run() throws(TidemarkError) -> [BaseBackupDescriptor] {
        throw TidemarkError(.failed, "backup is not built yet")
    }
}
