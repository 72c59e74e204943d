import Catalog
import Model
import Repository
import Segments

extension StopLocator {
    /// Every place on the way at which the segments know a restore point of this name, in order.
    func embeddedPlaces(of name: String, in chains: [Chain]) throws(TidemarkError) -> [UInt64] {
        var seen: Set<ObjectKey> = []
        var places: Set<UInt64> = []
        for chain in chains {
            for segment in chain.segments where seen.insert(segment.key).inserted {
                for point in try points(in: segment) where point.name == name {
                    let place = Position(
                        timeline: segment.range.timeline, ordinal: point.position)
                    if planner.path.passes(place) { places.insert(point.position) }
                }
            }
        }
        return places.sorted()
    }

    private func points(
        in segment: SegmentListing
    ) throws(TidemarkError) -> [EmbeddedRestorePoint] {
        guard segment.state == .open else {
            let reader = try open(segment)
            defer { reader.close() }
            return reader.descriptor?.restorePoints ?? []
        }
        return try SegmentReader.survey(
            repository.store, segment.key, first: segment.range.first,
            bytes: segment.range.length
        ).index.restorePoints
    }
}
