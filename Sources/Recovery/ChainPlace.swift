import Catalog
import Model
import Repository

/// Where a reader of a chain stands, so that it takes every byte once, and only what lies on one
/// line of descent.
///
/// The segment that holds a fork goes on behind it with what another history did, and segments of
/// two sidecars overlap. Where positions do not count bytes, the room tells entries apart by
/// itself, and everything is wanted.
struct ChainPlace {
    private let style: any PositionStyle
    private let path: TimelinePath
    /// First position of the segment at hand that is wanted no more.
    private var end: UInt64 = 0
    /// First position that was not handed over; nil before the first segment.
    private(set) var position: UInt64?

    init(_ style: any PositionStyle, _ path: TimelinePath) {
        self.style = style
        self.path = path
    }

    /// Turns to the next segment of the chain; false when nothing of it is wanted.
    mutating func turn(to segment: SegmentListing) -> Bool {
        guard let section = path.section(of: segment.range.timeline) else { return false }
        let next = style.countsBytes ? position ?? segment.range.first : segment.range.first
        precondition(segment.range.first <= next, "a chain has no holes")
        end = style.countsBytes ? section.end : .max
        guard next < end else { return false }
        position = next
        return true
    }

    /// What of the segment's index speaks of wanted bytes.
    func wanted(_ entries: [TimeIndexEntry]) -> [TimeIndexEntry] {
        guard style.countsBytes, let position else { return entries }
        // An entry speaks for everything up to the next one.
        let from = entries.lastIndex { $0.position <= position } ?? 0
        return entries[from...].filter { $0.position < end }.map { entry in
            var entry = entry
            entry.position = max(entry.position, position)
            return entry
        }
    }

    /// The wanted part of the bytes at `first`, which counts as handed over; nil when there is
    /// none.
    mutating func take(_ bytes: RawSpan, at first: UInt64) -> Range<Int>? {
        guard style.countsBytes, let next = position else { return 0..<bytes.byteCount }
        let last = min(first + UInt64(bytes.byteCount), end)
        guard last > next else { return nil }
        position = last
        return Int(next - first)..<Int(last - first)
    }
}
