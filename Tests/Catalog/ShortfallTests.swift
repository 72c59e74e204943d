import Catalog
import Model
import Repository
import TestKit
import Testing

@Suite struct `What was acknowledged and cannot be read` {
    let one = Sample.one
    let two = Sample.two

    /// History to `end` on timeline 1, acknowledged up to 590.
    private func snapshot(end: UInt64) -> CatalogSnapshot {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4], open: end)
        snapshot.backups = [Sample.backup(one, start: 310, end: 350, finished: 100)]
        snapshot.watermark = mark(one, archived: 590)
        return snapshot
    }

    private func mark(
        _ timeline: TimelineID, archived: UInt64, acknowledged: UInt64? = nil
    ) -> Watermark {
        Watermark(
            timeline: timeline, state: .streaming, received: archived, archived: archived,
            acknowledged: acknowledged, restorableTo: Sample.time(900), provedAt: nil,
            written: Sample.time(900))
    }

    @Test func `is nothing where the archive holds it`() {
        for end: UInt64 in [590, 595] {
            #expect(snapshot(end: end).shortfall == nil)
            #expect(snapshot(end: end).isProofRestorable)
        }
        var unknown = snapshot(end: 520)
        unknown.watermark = nil
        #expect(unknown.shortfall == nil)
    }

    @Test func `names where it ends, how far it went, and the file`() {
        let snapshot = snapshot(end: 520)
        #expect(snapshot.shortfall?.end == Position(timeline: one, ordinal: 520))
        #expect(snapshot.shortfall?.acknowledged == 590)
        #expect(snapshot.shortfall?.key == Sample.segment(one, 5, .open).key)
        #expect(!snapshot.isProofRestorable)
        var gone = snapshot
        Sample.fill(&gone, one, [3, 4])
        #expect(gone.shortfall?.end.ordinal == 500)
        #expect(gone.shortfall?.key == nil)
    }

    @Test func `counts what was acknowledged before the source began to send again`() {
        var snapshot = snapshot(end: 520)
        snapshot.watermark = mark(one, archived: 510, acknowledged: 590)
        #expect(snapshot.shortfall?.acknowledged == 590)
        #expect(!snapshot.isProofRestorable)
        #expect(snapshot.windows().map(\.to) == [Sample.time(100)])
    }

    @Test func `is not what a recorded gap explains, nor what lies before a hole`() {
        var snapshot = snapshot(end: 520)
        snapshot.watermark = mark(one, archived: 700)
        snapshot.gaps = [
            Gap(timeline: one, first: 520, last: 700, found: Sample.time(5), reason: "slot lost")
        ]
        #expect(snapshot.shortfall == nil)
        snapshot.gaps = []
        snapshot.segments[one]?.append(Sample.segment(one, 8, .sealed))
        #expect(snapshot.shortfall == nil)
        #expect(snapshot.newestHole?.first == 520)
    }

    @Test func `is told where the newest base backup lies behind the damage`() {
        var snapshot = snapshot(end: 520)
        snapshot.backups.append(Sample.backup(one, start: 560, end: 580, finished: 200))
        #expect(snapshot.shortfall?.end.ordinal == 520)
        #expect(snapshot.shortfall?.acknowledged == 590)
    }

    @Test func `is seen in the file itself where nothing is known of what was acknowledged`() {
        var snapshot = snapshot(end: 595)
        snapshot.damaged = [Sample.segment(one, 5, .open).key]
        #expect(snapshot.shortfall?.end.ordinal == 595)
        #expect(snapshot.shortfall?.acknowledged == nil)
        snapshot.watermark = nil
        #expect(snapshot.shortfall != nil)
    }

    @Test func `of one timeline says nothing of another`() {
        var snapshot = snapshot(end: 590)
        Sample.fill(&snapshot, two, [5], open: 610)
        snapshot.ancestors[two] = [Ancestor(timeline: one, end: 550)]
        snapshot.watermark = mark(one, archived: 990)
        #expect(snapshot.currentTimeline == two)
        #expect(snapshot.shortfall == nil)
        #expect(snapshot.shortfall(on: snapshot.path(to: one)) != nil)
        snapshot.watermark = mark(two, archived: 610)
        #expect(snapshot.shortfall(on: snapshot.path(to: one)) == nil)
        #expect(snapshot.shortfall == nil)
        snapshot.watermark = mark(two, archived: 611)
        #expect(snapshot.shortfall?.end == Position(timeline: two, ordinal: 610))
    }

    @Test func `is nothing on a timeline that has just begun`() {
        var snapshot = snapshot(end: 590)
        snapshot.ancestors[two] = [Ancestor(timeline: one, end: 550)]
        snapshot.watermark = mark(two, archived: 500)
        #expect(snapshot.shortfall == nil)
    }
}
