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
        var wanted = sources
        if wanted.isEmpty { wanted = try repository.sources().map(\.source) }
        var document = ListDocument(sources: [])
        for source in wanted {
            let kind = try repository.descriptor(source)?.kind ?? .postgres
            let reader = CatalogReader(repository, try Rooms.replayer(kind))
            document.sources.append(Self.listed(try reader.read(source, withArrivals: true)))
        }
        return document
    }

    private static func listed(_ snapshot: CatalogSnapshot) -> ListedSource {
        let style = snapshot.style
        return ListedSource(
            name: snapshot.source, kind: snapshot.descriptor.kind,
            recoveryWindows: snapshot.windows().map(SourceStatus.Window.init),
            timelines: snapshot.timelines.map { ListedTimeline($0, snapshot) },
            backups: snapshot.backups.map { ListedBackup($0, style) },
            points: snapshot.points.sorted { $0.time < $1.time }.map { ListedPoint($0, style) },
            gaps: snapshot.gaps.map { SourceStatus.GapStatus($0, style) })
    }
}
