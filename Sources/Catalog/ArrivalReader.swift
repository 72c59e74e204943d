import Model
import Repository
import Segments
import Synchronization

/// What was read of sealed segments, so that the next look does not read them again. A sealed
/// segment never changes.
package final class ArrivalMemory: Sendable {
    private struct Seen: Hashable {
        var key: ObjectKey
        var storedBytes: UInt64

        init(_ segment: SegmentListing) {
            key = segment.key
            storedBytes = segment.storedBytes
        }
    }

    private let known = Mutex<[Seen: Arrivals]>([:])

    package init() {}

    /// - Parameter bytes: as the listing says.
    func arrivals(_ segment: SegmentListing) -> Arrivals? {
        known.withLock { $0[Seen(segment)] }
    }

    func keep(_ found: [(SegmentListing, Arrivals)], of all: [SegmentListing]) {
        let present = Set(all.map(Seen.init))
        known.withLock { known in
            known = known.filter { present.contains($0.key) }
            for (segment, arrivals) in found { known[Seen(segment)] = arrivals }
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

    /// - Parameter segments: of all timelines.
    func read(_ segments: [SegmentListing]) throws(TidemarkError) -> [ObjectKey: Arrivals] {
        var arrivals: [ObjectKey: Arrivals] = [:]
        var found: [(SegmentListing, Arrivals)] = []
        var contents = Self.contentLimit
        let sealed = segments.filter { $0.state == .sealed }
        for segment in sealed.sorted(by: { $0.range.first > $1.range.first }) {
            if let known = memory.arrivals(segment) {
                arrivals[segment.key] = known
            } else if found.count < Self.footerLimit {
                guard let read = try read(segment, &contents) else { continue }
                arrivals[segment.key] = read
                found.append((segment, read))
            }
        }
        memory.keep(found, of: sealed)
        return arrivals
    }

    /// Nil when it is damaged: then nothing of its times can be restored anyway.
    private func read(
        _ segment: SegmentListing, _ contents: inout Int
    ) throws(TidemarkError) -> Arrivals? {
        do throws(TidemarkError) {
            let index = try SegmentReader.index(store, segment.key)
            guard index.contains(where: \.isLate), contents > 0 else { return Arrivals(index) }
            contents -= 1
            return Arrivals(try exact(index, segment.key))
        } catch let error where error.code == .archiveDamaged {
            return nil
        }
    }

    /// The index with its wide stretches taken apart: one may be wide only because there were too
    /// many of them.
    func exact(
        _ index: [TimeIndexEntry], _ key: ObjectKey
    ) throws(TidemarkError) -> [TimeIndexEntry] {
        let reader = try SegmentReader(store, key)
        defer { reader.close() }
        let notes = try reader.times(in: 0..<UInt64.max)
        var times: [TimeIndexEntry] = []
        for (place, entry) in index.enumerated() {
            guard entry.isLate else {
                times.append(entry)
                continue
            }
            let end = place + 1 < index.count ? index[place + 1].position : .max
            times += SegmentReader.parts(of: entry, until: end, in: notes)
        }
        return times
    }
}
