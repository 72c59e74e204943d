import Catalog
import Model
import Platform
import Repository

/// Looks once a minute whether the history behind the newest base backup is still whole: files of
/// an archive get lost too, and then only a new base backup makes the present restorable again.
///
/// Names are enough for that; nothing is read.
struct ChainWatch {
    private let repository: ArchiveRepository
    private let room: any DatabaseRoom
    private var looked: MonotonicTime?

    private static let seconds = 60.0

    init(_ repository: ArchiveRepository, _ room: any DatabaseRoom) {
        self.repository = repository
        self.room = room
    }

    /// What is missing, as a sentence; nil when nothing is, or the last look was a moment ago.
    mutating func missing(_ now: MonotonicTime) throws(TidemarkError) -> String? {
        if let looked, now.seconds(since: looked) < Self.seconds { return nil }
        looked = now
        // A listing may miss the file that is being sealed; what is lost stays lost.
        guard let first = try hole(), let second = try hole(), first == second else { return nil }
        return second
    }

    private func hole() throws(TidemarkError) -> String? {
        guard let descriptor = try repository.descriptor(room.source) else { return nil }
        let style = room.style(segmentBytes: descriptor.segmentBytes)
        let watermark = try repository.watermark(room.source)
        let listing = try repository.stream(room.source, style)
        let snapshot = CatalogSnapshot(
            descriptor: descriptor, style: style, segments: listing.segments,
            ancestors: try TimelineReader(repository, try Rooms.replayer(room.kind))
                .ancestors(listing),
            backups: try repository.backups(room.source), watermark: watermark)
        guard let hole = snapshot.newestHole else { return nil }
        return "the archive has lost timeline \(hole.timeline) from \(style.text(hole.first)) to "
            + style.text(hole.last)
    }
}
