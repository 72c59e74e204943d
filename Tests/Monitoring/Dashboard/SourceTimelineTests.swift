import Catalog
import Model
import TestKit
import Testing

@testable import Monitoring

/// What the time axis is told.
@Suite struct SourceTimelineTests {
    private static func snapshot() -> CatalogSnapshot {
        var snapshot = Sample.gapped()
        snapshot.points = [
            RestorePoint(
                name: "b", timeline: Sample.one, position: 650, time: Sample.time(80)),
            RestorePoint(
                name: "a", timeline: Sample.one, position: 120, time: Sample.time(20)),
        ]
        return snapshot
    }

    @Test func `a gap reaches from one window to the next`() {
        let timeline = SourceTimeline(Self.snapshot(), live: nil)
        #expect(timeline.windows.map(\.from.time) == [10, 60].map(Sample.time))
        #expect(timeline.windows.map(\.to.time) == [30, 90].map(Sample.time))
        #expect(timeline.windows.map(\.last) == ["200", "760"])
        #expect(timeline.gaps.map(\.from.time) == [Sample.time(30)])
        #expect(timeline.gaps.map(\.to?.time) == [Sample.time(60)])
    }

    @Test func `a gap that no base backup has mended goes on`() {
        var snapshot = Self.snapshot()
        snapshot.backups.removeLast()
        let timeline = SourceTimeline(snapshot, live: nil)
        #expect(timeline.gaps.map(\.to?.time) == [nil])
    }

    @Test func `the newest window ends where the stream has proved since`() {
        var live = Self.snapshot().watermark!
        live.archived = 790
        live.restorableTo = Sample.time(95)
        let timeline = SourceTimeline(Self.snapshot(), live: live)
        #expect(timeline.windows.last?.to.time == Sample.time(95))
        #expect(timeline.windows.last?.last == "790")
    }

    @Test func `positions are bounded by what is proved, never guessed`() {
        let bounds = Self.snapshot().positionBounds(live: nil)
        #expect(bounds.map(\.time) == bounds.map(\.time).sorted())
        #expect(
            bounds.contains(
                PositionBound(
                    time: Sample.time(10), position: Position(timeline: Sample.one, ordinal: 20),
                    side: .least)))
        #expect(
            bounds.contains(
                PositionBound(
                    time: Sample.time(9), position: Position(timeline: Sample.one, ordinal: 20),
                    side: .most)))
        #expect(
            bounds.contains(
                PositionBound(
                    time: Sample.time(90), position: Position(timeline: Sample.one, ordinal: 760),
                    side: .most)))
        #expect(bounds.filter { $0.side == .exact }.map(\.position.ordinal) == [120, 650])
    }

    @Test func `of very many marks the newest are shown`() {
        var snapshot = Self.snapshot()
        snapshot.points = (0..<2000).map {
            RestorePoint(
                name: "p\($0)", timeline: Sample.one, position: 120, time: Sample.time($0))
        }
        let timeline = SourceTimeline(snapshot, live: nil)
        #expect(timeline.points.count == SourceTimeline.limit)
        #expect(timeline.points.last?.name == "p1999")
    }

    @Test func `a question for a moment has exactly one time with a zone`() throws {
        let query = try MomentQuery([("at", "2026-11-24T13:00:00+01:00")])
        #expect(query.at == CommitTime("2026-11-24T12:00:00Z"))
        #expect(throws: TidemarkError.self) { try MomentQuery([]) }
        #expect(throws: TidemarkError.self) { try MomentQuery([("at", "now")]) }
        let long = String(repeating: "x", count: 5000)
        let error = #expect(throws: TidemarkError.self) { try MomentQuery([("at", long)]) }
        #expect(error.map { $0.message.utf8.count < 120 } == true)
        #expect(error?.code == .usage)
    }
}
