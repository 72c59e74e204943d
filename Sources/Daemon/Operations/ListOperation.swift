import Catalog
package import Model
import Monitoring
import Repository

/// `list`: what can be restored.
package struct ListOperation: Sendable {
    private let configuration: Configuration
    private let sources: [SourceID]

    /// - Parameter sources: empty for every source of the archive.
    package init(_ configuration: Configuration, sources: [SourceID]) {
        self.configuration = configuration
        self.sources = sources
    }

    package func run() throws(TidemarkError) -> ListDocument {
        let repository = try configuration.repository.archive()
        try repository.open()
        var listed: [ListedSource] = []
        for descriptor in try repository.sources()
        where sources.isEmpty || sources.contains(descriptor.source) {
            listed.append(try list(descriptor, repository))
        }
        if let missing = sources.first(where: { name in !listed.contains { $0.name == name } }) {
            throw TidemarkError(
                .configuration, "the archive at \(repository.store.url) has no source \(missing)",
                remedy: "see the sources it has: tidemark list")
        }
        return ListDocument(sources: listed)
    }

    private func list(
        _ descriptor: SourceDescriptor, _ repository: ArchiveRepository
    ) throws(TidemarkError) -> ListedSource {
        let snapshot = try CatalogReader(repository, Rooms.replayer(descriptor.kind))
            .read(descriptor.source)
        let style = snapshot.style
        return ListedSource(
            name: descriptor.source, kind: descriptor.kind,
            recoveryWindows: snapshot.windows().map { SourceStatus.Window($0) },
            backups: snapshot.backups.map { ListedBackup($0, style) },
            points: snapshot.points.map { ListedPoint($0, style) },
            gaps: snapshot.gaps.map { SourceStatus.GapStatus($0, style) })
    }
}
