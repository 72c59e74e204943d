package import Model
package import Repository
import Segments

/// Where the archive of a source ends: the end of its newest timeline.
package enum ArchiveEnd {
    /// Nil when no segment is archived. Reads one listing, and the last open segment if there is
    /// one.
    ///
    /// An open segment counts up to its last whole frame; what a crash tore off behind it was never
    /// acknowledged.
    package static func find(
        _ source: SourceID, in repository: ArchiveRepository, _ style: any PositionStyle
    ) throws(TidemarkError) -> Position? {
        let listing = try repository.stream(source, style)
        for timeline in listing.timelines.reversed() {
            guard let last = listing.segments[timeline]?.last else { continue }
            guard last.state == .open else {
                return Position(timeline: timeline, ordinal: last.range.last)
            }
            let reader = try SegmentReader(repository.store, last.key)
            defer { reader.close() }
            var end = last.range.first
            while try reader.read({ end += UInt64($0.byteCount) }) {}
            return Position(timeline: timeline, ordinal: end)
        }
        return nil
    }
}
