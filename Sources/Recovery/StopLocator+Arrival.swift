import Catalog
import Model
import Repository
import Segments

// Streams that carry no times: what is known of them is when they arrived.
extension StopLocator {
    /// The index of a segment for a search: as exact around `time` as the archive can tell.
    func times(
        of segment: SegmentListing, _ index: [TimeIndexEntry], around time: CommitTime
    ) throws(TidemarkError) -> [TimeIndexEntry] {
        var times: [TimeIndexEntry] = []
        for (place, entry) in index.enumerated() {
            guard entry.earliest <= time, time < entry.latest else {
                times.append(entry)
                continue
            }
            let end = place + 1 < index.count ? index[place + 1].position : .max
            times += try exact(entry, segment, until: end)
        }
        return times
    }

    /// What a stretch of the index was made of, where the notes in the segment still tell.
    private func exact(
        _ entry: TimeIndexEntry, _ segment: SegmentListing, until end: UInt64
    ) throws(TidemarkError) -> [TimeIndexEntry] {
        guard entry.position < end else { return [entry] }
        let reader = try open(segment)
        defer { reader.close() }
        return SegmentReader.parts(
            of: entry, until: end, in: try reader.times(in: entry.position..<end))
    }
}
