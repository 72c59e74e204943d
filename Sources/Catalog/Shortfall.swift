package import Model
import Repository

/// History that was acknowledged and cannot be read: the archive ends too early, and no gap record
/// says why.
package struct Shortfall: Hashable, Sendable {
    /// Up to here everything can be read.
    package var end: Position
    /// Up to here everything was durable, and the source may have been told so; nil where only the
    /// file itself shows that more was there.
    package var acknowledged: UInt64?
    /// The open segment that ends there; nil when none does.
    package var key: ObjectKey?
}

extension CatalogSnapshot {
    /// What is missing at the end of the line that the source is on.
    package var shortfall: Shortfall? {
        currentTimeline.flatMap { shortfall(on: path(to: $0)) }
    }

    /// What is missing at the end of `path`; nil when nothing is, and when the archive has a hole
    /// before its end, which is told as such.
    ///
    /// What the watermark says of another timeline says nothing of this one.
    package func shortfall(on path: TimelinePath) -> Shortfall? {
        guard let (reached, hole) = follow(path), hole == nil else { return nil }
        let claimed = watermark.flatMap { $0.timeline == path.timeline ? $0.claimed : nil }
        let last = segments[path.timeline]?.last
        let lastEnd = last.map(contentEnd) ?? reached.ordinal
        let isShort = claimed.map { reached.ordinal < $0 } ?? false
        // What a recorded gap speaks of was found, and the source was asked for the rest.
        let isDamaged = last.map { damaged.contains($0.key) } ?? false
        guard isShort || isDamaged && reached.ordinal <= lastEnd else { return nil }
        let isOpen =
            last.map { $0.state == .open && ($0.range.isEmpty || lastEnd < $0.range.last) } ?? false
        return Shortfall(
            end: Position(
                timeline: reached.timeline, ordinal: min(reached.ordinal, lastEnd)),
            acknowledged: isShort ? claimed : nil, key: isOpen ? last?.key : nil)
    }
}
