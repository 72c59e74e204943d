import Catalog
import Model
import Repository

/// Whether an id names an event, and which ones lie around it.
struct EventLookup {
    /// The event of this id; nil when the archive's own search finds none there.
    var found: DestructiveEvent?
    /// The nearest that are known, where none was found.
    var before: DestructiveEvent?
    var after: DestructiveEvent?

    fileprivate init(_ events: some Collection<DestructiveEvent>, at ordinal: UInt64) {
        found = events.first { $0.before.ordinal == ordinal }
        before = events.filter { $0.before.ordinal < ordinal }.max {
            $0.before.ordinal < $1.before.ordinal
        }
        after = events.filter { $0.before.ordinal > ordinal }.min {
            $0.before.ordinal < $1.before.ordinal
        }
    }
}

extension EventFinder {
    /// Segments behind an id in which its event is looked for: one may take ten seconds to end.
    private static let followed = 32

    /// Looks for the event that undoing to `ordinal` undoes: around it, not through the archive.
    /// What the sidecar has found and written down counts as well.
    func lookup(
        _ ordinal: UInt64, on timeline: TimelineID, in snapshot: CatalogSnapshot
    ) throws(TidemarkError) -> EventLookup {
        let segments = snapshot.segments[timeline] ?? []
        var events = Set(
            try repository.events(snapshot.source).events.filter {
                $0.before.timeline == timeline
            })
        let known = EventLookup(events, at: ordinal)
        let holder = segments.firstIndex {
            $0.range.first <= ordinal && ordinal <= snapshot.contentEnd($0)
        }
        guard known.found == nil, let holder,
            let scan = replayer.events(of: snapshot.descriptor, on: timeline)
        else { return known }
        let last =
            scan.crossesSegments
            ? min(holder + Self.followed, segments.count - 1)
            : segments.lastIndex { $0.range.first <= ordinal } ?? holder
        events.formUnion(
            try seen(in: segments[holder...last], after: holder, segments, scan, snapshot, ordinal))
        let near = EventLookup(events, at: ordinal)
        guard near.found == nil, scan.dependsOnPast, holder > 1,
            let whole = replayer.events(of: snapshot.descriptor, on: timeline)
        else { return near }
        events.formUnion(
            try seen(in: segments[...last], after: 0, segments, whole, snapshot, ordinal))
        return EventLookup(events, at: ordinal)
    }

    /// Reads on until the event is found; damage behind the id ends the search.
    private func seen(
        in stretch: ArraySlice<SegmentListing>, after lead: Int, _ segments: [SegmentListing],
        _ scan: any EventScan, _ snapshot: CatalogSnapshot, _ ordinal: UInt64
    ) throws(TidemarkError) -> [DestructiveEvent] {
        var scan = scan
        var found: [DestructiveEvent] = []
        let collect = { (event: DestructiveEvent) throws(TidemarkError) in found.append(event) }
        if scan.crossesSegments, lead > 0 {
            do throws(TidemarkError) {
                try look(at: segments[lead - 1], scan, snapshot.style, around: nil, collect)
            } catch let error where error.code == .archiveDamaged {
                let timeline = segments[lead].range.timeline
                scan = replayer.events(of: snapshot.descriptor, on: timeline) ?? scan
            }
        }
        for segment in stretch {
            do throws(TidemarkError) {
                try look(at: segment, scan, snapshot.style, around: nil, collect)
            } catch let error where error.code == .archiveDamaged && segment.range.first > ordinal {
                return found
            }
            if found.contains(where: { $0.before.ordinal == ordinal }) { return found }
        }
        return found
    }
}
