import Catalog
package import Model
package import Monitoring
import Platform
import Repository

/// `status`: how every source stands, read from the archive and its watermarks.
package struct StatusOperation: Sendable {
    private let configuration: Configuration
    private let time = SystemTimeSource()

    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// The state at this moment; called again and again by `--watch`.
    package func run() throws(TidemarkError) -> StatusDocument {
        let repository = try configuration.repository.archive()
        try repository.open()
        var sources: [SourceStatus] = []
        for source in configuration.sources { sources.append(try status(source, repository)) }
        return StatusDocument(
            time: time.wall(), repository: repository.store.url, state: "ok", sources: sources)
    }

    private func status(
        _ source: SourceConfiguration, _ repository: ArchiveRepository
    ) throws(TidemarkError) -> SourceStatus {
        let rpo = source.rpo.inSeconds
        guard let descriptor = try repository.descriptor(source.name) else {
            return SourceStatus(
                name: source.name, kind: source.kind, state: .stopped, timeline: nil,
                receivedPosition: nil, archivedPosition: nil, restorableTo: nil,
                exposureSeconds: nil, rpoSeconds: rpo, recoveryWindows: [], gaps: [],
                lastBackup: nil, sourceWindow: nil, reason: "nothing is archived yet")
        }
        let snapshot = try CatalogReader(repository, try Rooms.replayer(descriptor.kind))
            .read(source.name)
        return SourceReport(snapshot: snapshot, rpo: rpo, now: time.reading()).status
    }
}
