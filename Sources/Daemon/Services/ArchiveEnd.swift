import Catalog
import Model
import Repository

/// Where the archive of a source ends, and what is missing before that.
struct ArchiveEnd {
    private let snapshot: CatalogSnapshot?
    /// Nil when no segment is archived.
    let continuation: Continuation?

    /// Reads names, documents and the open segments; of a source without a descriptor nothing.
    ///
    /// An open segment counts up to its last whole frame; what a crash tore off behind it was never
    /// acknowledged.
    init(
        _ known: SourceDescriptor?, _ repository: ArchiveRepository
    ) throws(TidemarkError) {
        guard let known else {
            snapshot = nil
            continuation = nil
            return
        }
        let reader = CatalogReader(repository, try Rooms.replayer(known.kind))
        let read = try reader.read(known.source, withCommits: false)
        snapshot = read
        continuation = read.continuation()
    }

    /// What was lost when a stream that was to go on at `end` could only begin at `start`.
    func lost(from end: Position, to start: Position) -> [PositionRange] {
        snapshot?.missing(from: end, to: start) ?? []
    }
}
