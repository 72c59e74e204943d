import Catalog
package import Model
import Monitoring
import Repository

/// `list`: what can be restored.
package struct ListOperation: Sendable {
    private let configuration: Configuration
    private let sources: [SourceID]

    private static let attempts = 3

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
            document.sources.append(
                try Self.listed(source, repository, try Rooms.replayer(kind)))
        }
        return document
    }

    /// Looks again when a file was sealed, and got another name, since it was listed.
    private static func listed(
        _ source: SourceID, _ repository: ArchiveRepository, _ replayer: any Replayer
    ) throws(TidemarkError) -> ListedSource {
        let reader = CatalogReader(repository, replayer)
        var attempt = 1
        while true {
            do throws(TidemarkError) {
                let snapshot = try reader.read(source, withWindows: true)
                return listed(snapshot)
            } catch let error where error.code == .notFound && attempt < attempts {
                attempt += 1
            }
        }
    }

    private static func listed(_ snapshot: CatalogSnapshot) -> ListedSource {
        let style = snapshot.style
        let branches = snapshot.lines.flatMap { snapshot.branches[$0.timeline] ?? [] }
        return ListedSource(
            name: snapshot.source, kind: snapshot.descriptor.kind,
            recoveryWindows: snapshot.windows().map(SourceStatus.Window.init),
            doubts: branches.filter { $0.doubt != nil }.map(ListedDoubt.init),
            timelines: snapshot.timelines.map { ListedTimeline($0, snapshot) },
            backups: (snapshot.backups.map { ListedBackup($0, style) }
                + snapshot.brokenBackups.map {
                    ListedBackup($0.backup, style, broken: $0.reason)
                }).sorted { $0.id < $1.id },
            points: snapshot.points.sorted { $0.time < $1.time }.map { ListedPoint($0, style) },
            gaps: snapshot.gaps.map { SourceStatus.GapStatus($0, style) },
            missing: snapshot.unexplainedHoles.map { ListedStretch($0, style) })
    }
}
