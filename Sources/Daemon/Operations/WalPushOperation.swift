package import Model
import Platform
import Recovery
import Repository

/// `wal push PATH`: Postgres's archive_command. The same bytes twice are fine, others are refused.
package struct WalPushOperation: Sendable {
    private let configuration: Configuration
    private let source: SourceID?
    private let path: String

    /// - Parameter source: nil when the configuration has only one of the kind.
    package init(_ configuration: Configuration, source: SourceID?, path: String) {
        self.configuration = configuration
        self.source = source
        self.path = path
    }

    /// The file is durable in the archive when this returns.
    package func run() throws(TidemarkError) {
        try WalPush(
            try configuration.repository.archive(), try Rooms.replayer(.postgres),
            clock: SystemTimeSource(), compression: configuration.repository.compression.codec
        ).run(try ChosenSource.one(source, configuration), path)
    }
}
