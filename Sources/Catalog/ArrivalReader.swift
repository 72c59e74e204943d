import Model
import Repository
import Segments
import Synchronization

/// What was read of sealed segments, so that the next look does not read them again. A sealed
/// segment never changes.
package struct CatalogMemory: Sendable {
    let arrivals = ArrivalMemory()
    let branches = BranchMemory()

    package init() {}
}

/// When their content came.
final class ArrivalMemory: Sendable {
    private struct Seen: Hashable {
        var key: ObjectKey
        var storedBytes: UInt64
        var forks: [UInt64]

        init(_ segment: SegmentListing, _ forks: [UInt64]) {
            key = segment.key
            storedBytes = segment.storedBytes
            self.forks = forks
        }
    }

    private let known = Mutex<[Seen: Arrivals]>([:])

    func arrivals(_ segment: SegmentListing, _ forks: [UInt64]) -> Arrivals? {
        known.withLock { $0[Seen(segment, forks)] }
    }

    /// What is not among `all` any more is forgotten.
    func keep(
        _ found: [(SegmentListing, [UInt64], Arrivals)], of all: [(SegmentListing, [UInt64])]
    ) {
        let present = Set(all.map { Seen($0, $1) })
        known.withLock { known in
            known = known.filter { present.contains($0.key) }
            for (segment, forks, arrivals) in found { known[Seen(segment, forks)] = arrivals }
        }
    }
}

/// Reads when the content of a source's segments came, the newest first.
struct ArrivalReader {
    let store: any ObjectStore
    let memory: ArrivalMemory

    /// Footers that one look reads; older segments are left for the next, and meanwhile nothing is
    /// promised of them. At ten minutes each it is five months.
    private static let footerLimit = 20_000
    /// Segments that one look reads whole, because their indexes are too coarse to tell what came
    /// late.
    private static let contentLimit = 256

    /// - Parameters:
    ///   - segments: of all timelines, each with the forks in it.
    ///   - lateStarts: where open segments begin with what came late.
    func read(
        _ segments: [(SegmentListing, [UInt64])], lateStarts: Set<Position>
    ) throws(TidemarkError) -> [ObjectKey: Arrivals] {
        var lateStarts = lateStarts
        var arrivals: [ObjectKey: Arrivals] = [:]
        var found: [(SegmentListing, [UInt64], Arrivals)] = []
        var contents = Self.contentLimit
        var asked: [(SegmentListing, [UInt64])] = []
        let sealed = segments.filter { $0.0.state == .sealed }
        for (segment, inside) in sealed.sorted(by: { $0.0.range.first > $1.0.range.first }) {
            let (range, key) = (segment.range, segment.key)
            let end = Position(timeline: range.timeline, ordinal: range.last)
            let forks =
                lateStarts.contains(end) ? Array(Set(inside + [end.ordinal])).sorted() : inside
            asked.append((segment, forks))
            defer {
                if arrivals[key]?.beginsLate == true {
                    lateStarts.insert(Position(timeline: range.timeline, ordinal: range.first))
                }
            }
            if let known = memory.arrivals(segment, forks) {
                arrivals[key] = known
            } else if found.count < Self.footerLimit {
                guard let read = try read(segment, forks, &contents) else { continue }
                arrivals[key] = read
                found.append((segment, forks, read))
            }
        }
        memory.keep(found, of: asked)
        return arrivals
    }

    /// Nil when it is damaged: then nothing of its times can be restored anyway.
    private func read(
        _ segment: SegmentListing, _ forks: [UInt64], _ contents: inout Int
    ) throws(TidemarkError) -> Arrivals? {
        do throws(TidemarkError) {
            let index = try SegmentReader.index(store, segment.key)
            guard Self.isCoarse(index, forks), contents > 0 else {
                return Arrivals(index, forks: forks)
            }
            contents -= 1
            return Arrivals(try exact(index, segment.key, forks), forks: forks)
        } catch let error where error.code == .archiveDamaged {
            return nil
        }
    }

    /// The index with those stretches taken apart that have to be exact: what came late, since one
    /// may be wide only because there were too many of them, and what stands just before it.
    func exact(
        _ index: [TimeIndexEntry], _ key: ObjectKey, _ forks: [UInt64]
    ) throws(TidemarkError) -> [TimeIndexEntry] {
        guard Self.isCoarse(index, forks) else { return index }
        let reader = try SegmentReader(store, key)
        defer { reader.close() }
        let notes = try reader.times(in: 0..<UInt64.max)
        var times: [TimeIndexEntry] = []
        for (place, entry) in index.enumerated() {
            guard Self.isCoarse(index, at: place, forks) else {
                times.append(entry)
                continue
            }
            let end = place + 1 < index.count ? index[place + 1].position : .max
            times += SegmentReader.parts(of: entry, until: end, in: notes)
        }
        return times
    }

    private static func isCoarse(_ index: [TimeIndexEntry], _ forks: [UInt64]) -> Bool {
        index.indices.contains { isCoarse(index, at: $0, forks) }
    }

    /// Whether the content has to tell what a stretch was made of. What follows a fork may be late.
    private static func isCoarse(
        _ index: [TimeIndexEntry], at place: Int, _ forks: [UInt64]
    ) -> Bool {
        let entry = index[place]
        if entry.isLate { return true }
        guard entry.earliest < entry.latest else { return false }
        guard place + 1 < index.count else { return forks.contains { $0 > entry.position } }
        let next = index[place + 1]
        return next.isLate || forks.contains { entry.position < $0 && $0 <= next.position }
    }
}
