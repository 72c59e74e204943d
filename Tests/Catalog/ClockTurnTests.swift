import Catalog
import Model
import Repository
import TestKit
import Testing

/// Windows of a source whose clock was set back.
struct ClockTurnTests {
    private let one = Sample.one

    private func entry(_ position: UInt64, _ earliest: Int64, _ latest: Int64) -> TimeIndexEntry {
        TimeIndexEntry(
            position: position, earliest: Sample.time(earliest), latest: Sample.time(latest))
    }

    /// Segments 3 to 6 with these stretches, a base backup at 310, finished at 100, and everything
    /// up to 900 proved.
    private func snapshot(_ segments: [[TimeIndexEntry]]) -> CatalogSnapshot {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4, 5, 6])
        snapshot.backups = [Sample.backup(one, start: 310, end: 350, finished: 100)]
        snapshot.watermark = Sample.watermark(700, proved: 900)
        find(segments, &snapshot)
        return snapshot
    }

    /// - Parameter segments: nil for one that was not looked at.
    private func find(_ segments: [[TimeIndexEntry]?], _ snapshot: inout CatalogSnapshot) {
        var clocks: [ObjectKey: ClockSpan] = [:]
        for (number, index) in segments.enumerated() {
            let key = Sample.segment(one, UInt64(number + 3), .sealed).key
            clocks[key] = index.map { ClockSpan($0) }
        }
        snapshot.clockTurns[one] = snapshot.clockTurns(on: snapshot.path(to: one), clocks)
    }

    /// In seconds; what ends just before a time is that time.
    private func windows(_ snapshot: CatalogSnapshot) -> [[Int64]] {
        snapshot.windows().map {
            [($0.from.microseconds + 1) / 1_000_000, ($0.to.microseconds + 1) / 1_000_000]
        }
    }

    @Test func `are whole where it ran forwards, and commits overtook each other`() {
        let close = TimeIndexEntry(
            position: 500, earliest: Sample.time(200).advanced(bySeconds: -0.09),
            latest: Sample.time(300))
        let snapshot = snapshot([[entry(310, 110, 150)], [entry(400, 150, 200)], [close], []])
        #expect(windows(snapshot) == [[100, 900]])
    }

    @Test func `are split where it was set back within a segment, and from one to the next`() {
        let within = snapshot([
            [], [entry(400, 200, 300), entry(450, 250, 280)], [entry(500, 310, 400)], [],
        ])
        #expect(windows(within) == [[100, 250], [300, 900]])
        let between = snapshot([
            [entry(310, 200, 300)], [], [entry(500, 250, 260)], [entry(600, 270, 400)],
        ])
        #expect(windows(between) == [[100, 250], [300, 900]])
        // Two that belong together, and one that stands alone.
        let several = snapshot([
            [entry(310, 200, 300)], [entry(400, 250, 260)], [entry(500, 255, 400)],
            [entry(600, 350, 360), entry(650, 500, 600)],
        ])
        #expect(windows(several) == [[100, 250], [300, 350], [400, 900]])
    }

    @Test func `end where it was set back and has not come as far again`() {
        let snapshot = snapshot([[entry(310, 200, 5000)], [entry(400, 250, 260)], [], []])
        #expect(windows(snapshot) == [[100, 250]])
    }

    @Test func `are whole behind a base backup that was taken after it`() {
        let segments = [
            [entry(310, 110, 800)], [entry(400, 150, 180)], [entry(500, 185, 190)],
            [entry(600, 300, 400)],
        ]
        var snapshot = snapshot(segments)
        #expect(windows(snapshot) == [[100, 150], [800, 900]])
        snapshot.backups.append(Sample.backup(one, start: 510, end: 550, finished: 250))
        find(segments, &snapshot)
        #expect(windows(snapshot) == [[100, 150], [250, 900]])
    }

    @Test func `promise nothing of a segment that was not looked at, nor of what follows it`() {
        let segments = [[entry(310, 110, 150)], [entry(400, 160, 200)], [], []]
        var snapshot = snapshot(segments)
        #expect(windows(snapshot) == [[100, 900]])
        find([segments[0], nil, [], []], &snapshot)
        #expect(windows(snapshot) == [[100, 110]])
        find([], &snapshot)
        #expect(windows(snapshot).isEmpty)
    }
}
