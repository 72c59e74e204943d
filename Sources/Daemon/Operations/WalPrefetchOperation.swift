package import Model
import Platform
import Recovery
import Repository

/// `wal prefetch`: reads ahead of a recovering server; started by `wal fetch`.
package struct WalPrefetchOperation: Sendable {
    private let configuration: Configuration
    private let source: SourceID?

    package init(_ configuration: Configuration, source: SourceID?) {
        self.configuration = configuration
        self.source = source
    }

    /// Returns when recovery is over.
    package func run() throws(TidemarkError) {
        try Prefetcher(
            try ChosenSource.one(source, configuration), try Rooms.replayer(.postgres),
            try configuration.repository.archive(), clock: SystemTimeSource()
        ).run()
    }
}
