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
        let time = SystemTimeSource()
        let repository = try configuration.repository.archive()
        let source = try ChosenSource.one(source, configuration)
        if try repository.isEmpty() { try checkUnclaimed(source, time) }
        try WalPush(
            repository, try Rooms.replayer(.postgres), clock: time,
            compression: configuration.repository.compression.codec
        ).run(source, path)
    }

    /// A place with nothing in it is a new archive, or one whose disk is not mounted. What goes
    /// there then would be missing in the true one, since the server drops what is stored.
    private func checkUnclaimed(
        _ source: SourceID, _ time: any TimeSource
    ) throws(TidemarkError) {
        if let known = configuration.sources.first(where: { $0.name == source }),
            let claim = try NewArchive.claim(known, time)
        {
            throw claim
        }
        guard let earlier = try ArchiveStatus.stored(beside: path) else { return }
        throw TidemarkError(
            .sourceRefused,
            "archive_command has stored \(earlier) of \(source) elsewhere: "
                + "\(configuration.repository.url) is empty",
            remedy: "mount or name the repository that it was archived to; if this is to be a new "
                + "archive, begin it with its first base backup: tidemark backup \(source)")
    }
}
