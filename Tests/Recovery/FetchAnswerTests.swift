import Catalog
import Model
@testable import Recovery
import Repository
import TestKit
import Testing

@Suite struct `A segment that is not in the archive` {
    let one = Sample.one
    let two = Sample.two

    private func decide(
        _ timeline: TimelineID, _ number: UInt64, _ snapshot: CatalogSnapshot
    ) -> FetchAnswer {
        var listing = StreamListing()
        listing.segments = snapshot.segments
        return FetchAnswer.decide(
            PositionRange(timeline: timeline, first: number * 100, last: number * 100 + 100),
            listing: listing, ancestors: snapshot.ancestors, gaps: snapshot.gaps,
            backups: snapshot.backups, watermark: snapshot.watermark)
    }

    private func isMissing(_ answer: FetchAnswer) -> Bool { answer != .nothingFollows }

    @Test func `is the end when nothing lies behind it`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4])
        #expect(decide(one, 5, snapshot) == .nothingFollows)
        #expect(decide(two, 3, snapshot) == .nothingFollows)
    }

    @Test func `is missing when a later one exists`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 5])
        #expect(isMissing(decide(one, 4, snapshot)))
    }

    @Test func `is missing when it lies in a gap`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3])
        snapshot.gaps = [
            Gap(timeline: one, first: 400, last: 700, found: Sample.time(1), reason: "slot lost")
        ]
        #expect(decide(one, 4, snapshot) == .missing("it lies in a gap: slot lost"))
        #expect(decide(one, 7, snapshot) == .nothingFollows)
    }

    @Test func `is missing when the watermark says it was archived`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3])
        snapshot.watermark = Watermark(
            timeline: one, state: .streaming, received: 450, archived: 450, restorableTo: nil,
            provedAt: nil, written: Sample.time(1))
        #expect(isMissing(decide(one, 4, snapshot)))
        #expect(decide(one, 5, snapshot) == .nothingFollows)
    }

    @Test func `is missing when a base backup needs it`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3])
        snapshot.backups = [Sample.backup(one, start: 310, end: 420, finished: 9)]
        #expect(isMissing(decide(one, 4, snapshot)))
    }

    @Test func `is missing when a later timeline goes on behind it`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3])
        Sample.fill(&snapshot, two, [5])
        snapshot.ancestors[two] = [Ancestor(timeline: one, end: 550)]
        #expect(isMissing(decide(one, 4, snapshot)))
        // The fork's own segment is carried by the child.
        #expect(decide(one, 5, snapshot) == .nothingFollows)
    }
}
