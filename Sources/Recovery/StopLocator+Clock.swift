import Catalog
import Model
import Repository
import Segments

extension StopLocator {
    /// Whether commits behind the stop that was found for `time` say they were made before it.
    ///
    /// The rest of the stop's own segment is read; of those behind it the footers, and the content
    /// only where those name such a time.
    func conflict(
        with time: CommitTime, behind stop: RecoveryStop, in chain: Chain
    ) throws(TidemarkError) -> ClockConflict? {
        // Elsewhere the times are this program's own.
        guard replayer.hasPointsInStream else { return nil }
        var finder = ClockConflictFinder(time)
        let home = chain.segments.lastIndex { $0.range.first < stop.end } ?? 0
        for (place, segment) in chain.segments.enumerated().dropFirst(home) {
            let times = try stretches(of: segment)
            guard let earliest = times.map(\.earliest).min() else { continue }
            if place == home || finder.concerns(earliest) {
                // A record may begin in the segment before the one that holds its end.
                let from = max(place == home ? 0 : home, place - 1)
                try read(chain.segments[from...place], behind: max(stop.end, segment.range.first)) {
                    finder.add($0)
                }
            } else if let latest = times.map(\.latest).max() {
                finder.passed(latest)
            }
        }
        return finder.conflict
    }

    func stretches(of segment: SegmentListing) throws(TidemarkError) -> [TimeIndexEntry] {
        let reader = try open(segment)
        defer { reader.close() }
        let end = planner.path.section(of: segment.range.timeline)?.end ?? 0
        return try allStretches(of: segment, reader).filter { $0.position < end }
    }

    private func allStretches(
        of segment: SegmentListing, _ reader: SegmentReader
    ) throws(TidemarkError) -> [TimeIndexEntry] {
        if let descriptor = reader.descriptor { return descriptor.index }
        return try SegmentReader.survey(
            repository.store, segment.key, first: segment.range.first,
            bytes: segment.range.length
        ).index.stretches
    }

    /// The entries that end behind `first`.
    private func read(
        _ segments: ArraySlice<SegmentListing>, behind first: UInt64, _ add: (HistoryEntry) -> Void
    ) throws(TidemarkError) {
        let scan = replayer.scan(of: planner.snapshot.descriptor, on: planner.path.timeline)
        let style = planner.snapshot.style
        var place = ChainPlace(style, planner.path)
        for segment in segments where place.turn(to: segment) {
            let reader = try open(segment)
            defer { reader.close() }
            var position = segment.range.first
            let take = { (bytes: RawSpan) throws(TidemarkError) in
                if let part = place.take(bytes, at: position) {
                    let start = style.advanced(position, by: part.lowerBound)
                    try scan.take(bytes.extracting(part), at: start) {
                        (entry) throws(TidemarkError) in
                        if entry.last > first { add(entry) }
                    }
                }
                position = style.advanced(position, by: bytes.byteCount)
            }
            while try reader.read(take) {}
        }
    }
}
