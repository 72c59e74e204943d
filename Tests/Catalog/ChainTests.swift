import Catalog
import Model
import Repository
import TestKit
import Testing

@Suite struct `A chain of segments` {
    let one = Sample.one
    let two = Sample.two

    private func chain(
        _ snapshot: CatalogSnapshot, _ timeline: TimelineID, from start: UInt64,
        on first: TimelineID? = nil, to stop: UInt64 = .max
    ) -> Chain {
        snapshot.chain(
            on: snapshot.path(to: timeline),
            from: Position(timeline: first ?? timeline, ordinal: start), to: stop)
    }

    @Test func `runs to the end of the open segment's content`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4, 5], open: 642)
        let found = chain(snapshot, one, from: 330)
        #expect(found.segments.map(\.range.first) == [300, 400, 500, 600])
        #expect(found.end == Position(timeline: one, ordinal: 642))
        #expect(found.hole == nil)
        #expect(found.storedBytes == 160)
    }

    @Test func `stops where the stop is covered`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4, 5, 6])
        let found = chain(snapshot, one, from: 330, to: 500)
        #expect(found.segments.map(\.range.first) == [300, 400])
    }

    @Test func `ends at a missing segment and names the hole`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4, 6])
        let found = chain(snapshot, one, from: 300)
        #expect(found.end.ordinal == 500)
        #expect(found.hole == PositionRange(timeline: one, first: 500, last: 600))
    }

    @Test func `has a hole behind an open segment that others follow`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3], open: 420)
        snapshot.segments[one]?.append(Sample.segment(one, 5, .sealed))
        let found = chain(snapshot, one, from: 300)
        #expect(found.hole == PositionRange(timeline: one, first: 420, last: 500))
    }

    @Test func `has no segment when the first one is missing`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [4])
        let found = chain(snapshot, one, from: 330)
        #expect(found.segments.isEmpty)
        #expect(found.hole == PositionRange(timeline: one, first: 330, last: 400))
    }

    @Test func `crosses to the next timeline inside the segment of the fork`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4], open: 577)
        Sample.fill(&snapshot, two, [5, 6], open: 710)
        snapshot.ancestors[two] = [Ancestor(timeline: one, end: 550)]
        let found = chain(snapshot, two, from: 330, on: one)
        #expect(
            found.segments.map(\.key.name)
                == ["1-3.lz4", "1-4.lz4", "2-5.lz4", "2-6.lz4", "2-7.partial"])
        #expect(found.end == Position(timeline: two, ordinal: 710))
        #expect(found.hole == nil)
    }

    @Test func `on the old branch goes on past the fork`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4], open: 577)
        Sample.fill(&snapshot, two, [5])
        snapshot.ancestors[two] = [Ancestor(timeline: one, end: 550)]
        #expect(chain(snapshot, one, from: 330).end == Position(timeline: one, ordinal: 577))
    }

    @Test func `has a hole when the parent ends before the fork`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3])
        Sample.fill(&snapshot, two, [5])
        snapshot.ancestors[two] = [Ancestor(timeline: one, end: 550)]
        let found = chain(snapshot, two, from: 330, on: one)
        #expect(found.hole == PositionRange(timeline: one, first: 400, last: 500))
    }

    @Test func `simply ends on the parent while the child has nothing yet`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4], open: 550)
        snapshot.ancestors[two] = [Ancestor(timeline: one, end: 550)]
        let found = chain(snapshot, two, from: 330, on: one)
        #expect(found.end.ordinal == 550)
        #expect(found.hole == nil)
    }
}
