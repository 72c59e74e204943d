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
        FetchAnswer.decide(
            PositionRange(timeline: timeline, first: number * 100, last: number * 100 + 100),
            snapshot)
    }

    /// A sidecar's, that says nothing of what is asked for here.
    private func mark(_ timeline: TimelineID, _ archived: UInt64 = 300) -> Watermark {
        Watermark(
            timeline: timeline, state: .streaming, received: archived, archived: archived,
            restorableTo: nil, provedAt: nil, written: Sample.time(1))
    }

    private func witnessed() -> CatalogSnapshot {
        var snapshot = Sample.snapshot()
        snapshot.watermark = mark(one)
        return snapshot
    }

    private func isMissing(_ answer: FetchAnswer) -> Bool { answer != .nothingFollows }

    @Test func `is the end when nothing lies behind it`() {
        var snapshot = witnessed()
        Sample.fill(&snapshot, one, [3, 4])
        #expect(decide(one, 5, snapshot) == .nothingFollows)
        #expect(decide(two, 3, snapshot) == .nothingFollows)
    }

    @Test func `is missing when a later one exists`() {
        var snapshot = witnessed()
        Sample.fill(&snapshot, one, [3, 5])
        #expect(isMissing(decide(one, 4, snapshot)))
    }

    @Test func `is the end when its file is there without a byte`() {
        var snapshot = witnessed()
        Sample.fill(&snapshot, one, [3, 4], open: 500)
        #expect(decide(one, 5, snapshot) == .nothingFollows)
        // Bytes of it were archived, and are not there.
        snapshot.watermark = mark(one, 510)
        #expect(isMissing(decide(one, 5, snapshot)))
        snapshot.watermark = mark(one)
        snapshot.damaged = snapshot.segments[one].map { Set($0.suffix(1).map(\.key)) } ?? []
        #expect(isMissing(decide(one, 5, snapshot)))
        snapshot.damaged = []
        #expect(isMissing(decide(one, 4, snapshot)))
    }

    @Test func `is missing when it lies in a gap`() {
        var snapshot = witnessed()
        Sample.fill(&snapshot, one, [3])
        snapshot.gaps = [
            Gap(timeline: one, first: 400, last: 700, found: Sample.time(1), reason: "slot lost")
        ]
        #expect(decide(one, 4, snapshot) == .missing("it lies in a gap: slot lost"))
        #expect(decide(one, 7, snapshot) == .nothingFollows)
    }

    @Test func `is missing when the watermark says it was archived`() {
        var snapshot = witnessed()
        Sample.fill(&snapshot, one, [3])
        snapshot.watermark = mark(one, 450)
        #expect(isMissing(decide(one, 4, snapshot)))
        #expect(decide(one, 5, snapshot) == .nothingFollows)
    }

    @Test func `is missing when a base backup needs it`() {
        var snapshot = witnessed()
        Sample.fill(&snapshot, one, [3])
        snapshot.backups = [Sample.backup(one, start: 310, end: 420, finished: 9)]
        #expect(isMissing(decide(one, 4, snapshot)))
    }

    @Test func `is missing when a later timeline goes on behind it`() {
        var snapshot = witnessed()
        Sample.fill(&snapshot, one, [3])
        Sample.fill(&snapshot, two, [5])
        snapshot.ancestors[two] = [Ancestor(timeline: one, end: 550)]
        #expect(isMissing(decide(one, 4, snapshot)))
        // The fork's own segment is carried by the child.
        #expect(decide(one, 5, snapshot) == .nothingFollows)
    }

    @Test func `is the end of nothing as long as only the listing says so`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4])
        #expect(isMissing(decide(one, 5, snapshot)))
        #expect(isMissing(decide(two, 5, snapshot)))
        snapshot.watermark = mark(two, 0)
        snapshot.ancestors[two] = [Ancestor(timeline: one, end: 500)]
        #expect(decide(one, 5, snapshot) == .nothingFollows)
    }

    @Test func `is missing when a timeline was archived of which nothing is there`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4])
        snapshot.watermark = mark(two, 700)
        #expect(isMissing(decide(one, 5, snapshot)))
        snapshot.watermark = mark(one, 500)
        snapshot.pushed = PushedMark(ends: ["2": 700])
        #expect(isMissing(decide(one, 5, snapshot)))
    }

    @Test func `a history file never was only where no timeline from it on is spoken of`() {
        var listing = StreamListing()
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4])
        listing.segments = snapshot.segments
        let three = TimelineID("3")
        func decide(
            _ timeline: TimelineID, gaps: [Gap] = [], backups: [BaseBackupDescriptor] = [],
            mark: Watermark? = nil, pushed: PushedMark? = nil
        ) -> FetchAnswer {
            FetchAnswer.decide(
                history: timeline, listing: listing, gaps: gaps, backups: backups,
                watermark: mark, pushed: pushed)
        }
        #expect(decide(one) == .nothingFollows)
        #expect(decide(two) == .nothingFollows)
        #expect(decide(two, mark: mark(one)) == .nothingFollows)
        #expect(isMissing(decide(two, mark: mark(two))))
        #expect(isMissing(decide(two, mark: mark(three))))
        #expect(decide(three, mark: mark(two)) == .nothingFollows)
        #expect(isMissing(decide(two, pushed: PushedMark(ends: ["2": 700]))))
        #expect(
            isMissing(decide(two, backups: [Sample.backup(two, start: 1, end: 2, finished: 9)])))
        let gap = Gap(timeline: two, first: 4, last: 7, found: Sample.time(1), reason: "lost")
        #expect(isMissing(decide(two, gaps: [gap])))
        // An archive that begins on timeline 2 may have no history of it.
        listing.segments = [two: snapshot.segments[one] ?? []]
        #expect(decide(two, mark: mark(two)) == .nothingFollows)
    }

    @Test func `without a sidecar is the end behind what was pushed of its timeline`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4])
        snapshot.pushed = PushedMark(ends: ["1": 500])
        #expect(decide(one, 5, snapshot) == .nothingFollows)
        // Announced by its history file, and nothing written yet.
        #expect(decide(two, 5, snapshot) == .nothingFollows)
        snapshot.pushed = PushedMark(ends: ["1": 600])
        #expect(isMissing(decide(one, 5, snapshot)))
        snapshot.pushed = PushedMark(ends: ["2": 600])
        #expect(isMissing(decide(one, 5, snapshot)))
        #expect(isMissing(decide(two, 5, snapshot)))
    }
}
