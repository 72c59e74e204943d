import Catalog
import Model
import Repository
import Segments

// Streams that carry no times: what is known of them is when they arrived.
extension StopLocator {
    /// Index of the segment where the search for `time` begins: one before the first that goes
    /// beyond it, and where times are those of arrival with something that came as it was made. How
    /// old the rest may be follows from that.
    func start(before time: CommitTime, in chain: Chain) throws(TidemarkError) -> Int {
        var start = max(0, try firstSegment(after: time, in: chain) - 1)
        guard !replayer.hasPointsInStream else { return start }
        while start > 0, try stretches(of: chain.segments[start]).first?.isLate ?? true {
            start -= 1
        }
        return start
    }

    /// The index of a segment for a search: as exact around `time` as the archive can tell, and
    /// just before what came late, which was made after it.
    func times(
        of segment: SegmentListing, _ index: [TimeIndexEntry], around time: CommitTime
    ) throws(TidemarkError) -> [TimeIndexEntry] {
        var times: [TimeIndexEntry] = []
        // Read once, and only when something has to be known.
        var notes: [TimeIndexEntry]?
        let cut = planner.path.section(of: segment.range.timeline)?.end ?? .max
        for (place, entry) in index.enumerated() {
            let next = place + 1 < index.count ? index[place + 1] : nil
            let end = next?.position ?? .max
            // What the next segment begins with, or another history at the fork, may be late.
            let isBeforeLate = next?.isLate ?? true || entry.position < cut && cut <= end
            let isWanted = entry.earliest <= time && (time < entry.latest || isBeforeLate)
            guard isWanted, entry.position < end, entry.earliest < entry.latest else {
                times.append(entry)
                continue
            }
            if notes == nil { notes = try self.notes(in: segment) }
            times += SegmentReader.parts(of: entry, until: end, in: notes ?? [])
        }
        return times
    }

    /// What the notes of a segment still tell of the times in it.
    private func notes(in segment: SegmentListing) throws(TidemarkError) -> [TimeIndexEntry] {
        let reader = try open(segment)
        defer { reader.close() }
        return try reader.times(in: 0..<UInt64.max)
    }
}
