import Catalog
package import Model
import Monitoring
import Recovery
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
                let snapshot = try reader.read(source, withArrivals: true)
                return listed(snapshot, try branches(snapshot, repository, replayer))
            } catch let error where error.code == .notFound && attempt < attempts {
                attempt += 1
            }
        }
    }

    /// Those that make a time on the source's line doubtful, as `restore` sees it.
    private static func branches(
        _ snapshot: CatalogSnapshot, _ repository: ArchiveRepository, _ replayer: any Replayer
    ) throws(TidemarkError) -> [AbandonedBranch] {
        guard let current = snapshot.currentTimeline else { return [] }
        let reader = BranchReader(
            repository: repository, replayer: replayer, snapshot: snapshot)
        return try reader.branches(off: snapshot.path(to: current)).filter(\.isInDoubt)
    }

    private static func listed(
        _ snapshot: CatalogSnapshot, _ branches: [AbandonedBranch]
    ) -> ListedSource {
        let style = snapshot.style
        return ListedSource(
            name: snapshot.source, kind: snapshot.descriptor.kind,
            recoveryWindows: ListedDoubt.windows(snapshot.windows(), without: branches)
                .map(SourceStatus.Window.init),
            doubts: branches.map(ListedDoubt.init),
            timelines: snapshot.timelines.map { ListedTimeline($0, snapshot) },
            backups: snapshot.backups.map { ListedBackup($0, style) },
            points: snapshot.points.sorted { $0.time < $1.time }.map { ListedPoint($0, style) },
            gaps: snapshot.gaps.map { SourceStatus.GapStatus($0, style) })
    }
}
