import Catalog
import Model
import Repository
import TestKit
import Testing

@Suite struct `Where a stream goes on` {
    let one = Sample.one
    let two = Sample.two

    private func gap(_ timeline: TimelineID, _ first: UInt64, _ last: UInt64) -> Gap {
        Gap(timeline: timeline, first: first, last: last, found: Sample.time(1), reason: "lost")
    }

    private func expect(
        _ snapshot: CatalogSnapshot, _ timeline: TimelineID, _ end: UInt64,
        hole: Range<UInt64>? = nil, others: [Position] = [],
        location: SourceLocation = #_sourceLocation
    ) {
        let found = snapshot.continuation()
        #expect(
            found?.end == Position(timeline: timeline, ordinal: end), sourceLocation: location)
        let range = hole.map {
            PositionRange(timeline: timeline, first: $0.lowerBound, last: $0.upperBound)
        }
        #expect(found?.hole == range, sourceLocation: location)
        #expect(found?.others == others, sourceLocation: location)
    }

    @Test func `is the end of the open segment, and nowhere in an empty archive`() {
        var snapshot = Sample.snapshot()
        #expect(snapshot.continuation() == nil)
        Sample.fill(&snapshot, one, [3, 4], open: 542)
        expect(snapshot, one, 542)
    }

    @Test func `is before a hole, whatever was pushed behind it`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [1, 2, 5, 6], open: 342)
        snapshot.segments[one]?.sort { $0.range.first < $1.range.first }
        expect(snapshot, one, 342, hole: 342..<500)
        snapshot.backups = [Sample.backup(one, start: 110, end: 180, finished: 9)]
        expect(snapshot, one, 342, hole: 342..<500)
    }

    @Test func `is behind a hole that the newest base backup does not need`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [1, 2, 5, 6])
        snapshot.backups = [
            Sample.backup(one, start: 110, end: 180, finished: 9),
            Sample.backup(one, start: 510, end: 520, finished: 19),
        ]
        expect(snapshot, one, 700)
    }

    @Test func `is behind a recorded gap, or where the gap's record and the hole part`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [1, 2, 5, 6, 8])
        snapshot.gaps = [gap(one, 300, 500)]
        expect(snapshot, one, 700, hole: 700..<800)
        snapshot.gaps = [gap(one, 300, 400)]
        expect(snapshot, one, 400, hole: 400..<500)
        // The stream went on behind a gap and was killed before it had archived anything.
        snapshot.gaps = [gap(one, 300, 500), gap(one, 700, 800), gap(one, 900, 1200)]
        expect(snapshot, one, 1200)
    }

    @Test func `is on an older timeline whose end a promotion left behind`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [1, 2], open: 342)
        Sample.fill(&snapshot, two, [5, 6])
        snapshot.ancestors[two] = [Ancestor(timeline: one, end: 550)]
        expect(snapshot, one, 342, hole: 342..<500)
        Sample.fill(&snapshot, one, [1, 2, 3, 4])
        expect(snapshot, two, 700, others: [Position(timeline: one, ordinal: 500)])
    }

    @Test func `knows where the other timelines end`() {
        let three = TimelineID("3")
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [1, 2, 3, 4])
        Sample.fill(&snapshot, two, [4, 5])
        Sample.fill(&snapshot, three, [2, 3])
        snapshot.ancestors[two] = [Ancestor(timeline: one, end: 450)]
        snapshot.ancestors[three] = [Ancestor(timeline: one, end: 250)]
        expect(
            snapshot, three, 400,
            others: [
                Position(timeline: one, ordinal: 500), Position(timeline: two, ordinal: 600),
            ])
    }

    @Test func `names everything that is missing up to where a stream could begin`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [1, 3, 5])
        func missing(_ end: UInt64, _ timeline: TimelineID, _ start: UInt64) -> [PositionRange] {
            snapshot.missing(
                from: Position(timeline: one, ordinal: end),
                to: Position(timeline: timeline, ordinal: start))
        }
        func range(_ timeline: TimelineID, _ first: UInt64, _ last: UInt64) -> PositionRange {
            PositionRange(timeline: timeline, first: first, last: last)
        }
        #expect(
            missing(200, one, 800)
                == [range(one, 200, 300), range(one, 400, 500), range(one, 600, 800)])
        #expect(missing(200, one, 300) == [range(one, 200, 300)])
        #expect(missing(500, one, 550) == [])
        // Of another line of descent nothing is known.
        #expect(missing(600, two, 800) == [range(one, 600, 800)])
        #expect(missing(600, two, 400) == [range(one, 600, 600)])
        snapshot.ancestors[two] = [Ancestor(timeline: one, end: 650)]
        #expect(missing(600, two, 800) == [range(one, 600, 650), range(two, 650, 800)])
    }
}
