import Catalog
import Model
import Repository
import Segments

/// Searches the archived stream for the exact stop of a target.
///
/// Footers say which segment holds the answer; only that one and the one before it are read, and
/// more before them when a record is so long that it begins still earlier.
struct StopLocator {
    let repository: ArchiveRepository
    let replayer: any Replayer
    let planner: Planner

    /// Searches a chain from the segment at `index` on, going back further when the answer lies
    /// before what was read.
    func search(
        _ question: StopQuestion, _ chain: Chain, from index: Int, until end: UInt64 = .max
    ) throws(TidemarkError) -> StopAnswer {
        var start = max(0, min(index, chain.segments.count - 1))
        var step = 1
        while true {
            let answer = try scan(question, chain, from: start, until: end)
            guard start > 0, Self.needsMore(answer) else { return answer }
            start = max(0, start - step)
            step *= 2
        }
    }

    private static func needsMore(_ answer: StopAnswer) -> Bool {
        switch answer {
        case .stop: false
        case .earlier: true
        case .absent(let last): last == nil
        }
    }

    private func scan(
        _ question: StopQuestion, _ chain: Chain, from start: Int, until end: UInt64
    ) throws(TidemarkError) -> StopAnswer {
        let search = replayer.search(
            question, of: planner.snapshot.descriptor, on: planner.path.timeline)
        var place = ChainPlace(planner.snapshot.style, planner.path)
        for segment in chain.segments.dropFirst(start) where segment.range.first < end {
            if let answer = try feed(segment, question, to: search, &place) { return answer }
        }
        return try search.finish()
    }

    private func feed(
        _ segment: SegmentListing, _ question: StopQuestion, to search: any StopSearch,
        _ place: inout ChainPlace
    ) throws(TidemarkError) -> StopAnswer? {
        guard place.turn(to: segment) else { return nil }
        let reader = try open(segment)
        defer { reader.close() }
        var times = try index(of: segment, reader)
        if case .time(let time) = question, !replayer.hasPointsInStream {
            times = try self.times(of: segment, times, around: time)
        }
        search.index(place.wanted(times))
        let style = planner.snapshot.style
        var answer: StopAnswer?
        var position = segment.range.first
        while answer == nil {
            let more = try reader.read { (bytes) throws(TidemarkError) in
                if let part = place.take(bytes, at: position) {
                    answer = try search.take(
                        bytes.extracting(part),
                        at: style.advanced(position, by: part.lowerBound))
                }
                position = style.advanced(position, by: bytes.byteCount)
            }
            if !more { return answer }
        }
        return answer
    }

    private func index(
        of segment: SegmentListing, _ reader: SegmentReader
    ) throws(TidemarkError) -> [TimeIndexEntry] {
        if let descriptor = reader.descriptor { return descriptor.index }
        guard !replayer.hasPointsInStream else { return [] }
        return try SegmentReader.survey(
            repository.store, segment.key, first: segment.range.first,
            bytes: segment.range.length
        ).index.stretches
    }

    /// Index of the first segment whose commits go beyond `time`; the last segment when none does.
    func firstSegment(after time: CommitTime, in chain: Chain) throws(TidemarkError) -> Int {
        for (index, segment) in chain.segments.enumerated() {
            if segment.state == .open { return index }
            let reader = try open(segment)
            defer { reader.close() }
            if let last = reader.descriptor?.lastCommit, last > time { return index }
        }
        return chain.segments.count - 1
    }

    func open(_ segment: SegmentListing) throws(TidemarkError) -> SegmentReader {
        do {
            return try SegmentReader(repository.store, segment.key)
        } catch let error where error.code == .notFound && segment.state == .sealed {
            throw TidemarkError(
                .archiveIncomplete, "\(segment.key) is missing from the archive",
                remedy: "bring it back from a copy of the archive")
        }
    }
}
