import Catalog
import Model
import Platform
import Repository

/// Looks once a minute whether the history behind the newest base backup is still whole: files of
/// an archive get lost too, and then only a new base backup makes the present restorable again.
///
/// Names are enough for that as long as nothing is missing.
struct ChainWatch {
    private let repository: ArchiveRepository
    private let source: SourceID
    private let kind: DatabaseKind
    private var looked: MonotonicTime?

    private static let seconds = 60.0

    init(_ repository: ArchiveRepository, _ source: SourceID, _ kind: DatabaseKind) {
        self.repository = repository
        self.source = source
        self.kind = kind
    }

    /// What is missing, as a sentence; nil when nothing is, or the last look was a moment ago.
    mutating func missing(_ now: MonotonicTime) throws(TidemarkError) -> String? {
        if let looked, now.seconds(since: looked) < Self.seconds { return nil }
        looked = now
        let reader = CatalogReader(repository, try Rooms.replayer(kind))
        guard let hole = try reader.newestHole(source),
            let descriptor = try repository.descriptor(source)
        else { return nil }
        let style = Rooms.style(descriptor)
        return "the archive has lost timeline \(hole.timeline) from \(style.text(hole.first)) to "
            + style.text(hole.last)
    }
}
