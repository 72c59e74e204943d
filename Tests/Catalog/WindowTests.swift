import Catalog
import Model
import Repository
import TestKit
import Testing

@Suite struct `Recovery windows` {
    let one = Sample.one
    let two = Sample.two

    private func mark(_ timeline: TimelineID, archived: UInt64, proved: Int64) -> Watermark {
        Watermark(
            timeline: timeline, state: .streaming, received: archived, archived: archived,
            restorableTo: Sample.time(proved), provedAt: nil, written: Sample.time(proved))
    }

    /// Nothing between 500 and 700; a base backup on either side.
    private func cut() -> CatalogSnapshot {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4, 7, 8])
        snapshot.lastCommits[Sample.segment(one, 4, .sealed).key] = Sample.time(150)
        snapshot.backups = [
            Sample.backup(one, start: 310, end: 350, finished: 100),
            Sample.backup(one, start: 710, end: 750, finished: 300),
        ]
        snapshot.watermark = mark(one, archived: 900, proved: 400)
        return snapshot
    }

    @Test func `leave out what is missing, which is told unless a gap record does`() {
        var snapshot = cut()
        #expect(snapshot.windows().map(\.from) == [Sample.time(100), Sample.time(300)])
        #expect(snapshot.windows().map(\.to) == [Sample.time(150), Sample.time(400)])
        #expect(
            snapshot.unexplainedHoles == [PositionRange(timeline: one, first: 500, last: 700)])
        snapshot.gaps = [
            Gap(timeline: one, first: 500, last: 700, found: Sample.time(200), reason: "lost")
        ]
        #expect(snapshot.unexplainedHoles.isEmpty)
    }

    @Test func `are none without a base backup`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4])
        #expect(snapshot.windows().isEmpty)
    }

    @Test func `run from the first base backup's end to the proved moment`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4], open: 550)
        snapshot.backups = [
            Sample.backup(one, start: 310, end: 350, finished: 100),
            Sample.backup(one, start: 410, end: 450, finished: 200),
        ]
        snapshot.watermark = mark(one, archived: 550, proved: 900)
        #expect(
            snapshot.windows()
                == [RecoveryWindow(timeline: one, from: Sample.time(100), to: Sample.time(900))])
    }

    @Test func `are cut at a gap and end with the last commit before it`() {
        let snapshot = cut()
        #expect(
            snapshot.windows() == [
                RecoveryWindow(timeline: one, from: Sample.time(100), to: Sample.time(150)),
                RecoveryWindow(timeline: one, from: Sample.time(300), to: Sample.time(400)),
            ])
    }

    @Test func `leave out a base backup whose own history is not whole`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 5])
        snapshot.backups = [Sample.backup(one, start: 310, end: 450, finished: 100)]
        #expect(snapshot.windows().isEmpty)
    }

    @Test func `do not believe a proof whose bytes are not in the archive`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3])
        snapshot.lastCommits[Sample.segment(one, 3, .sealed).key] = Sample.time(120)
        snapshot.backups = [Sample.backup(one, start: 310, end: 350, finished: 100)]
        snapshot.watermark = mark(one, archived: 777, proved: 900)
        #expect(snapshot.windows().map(\.to) == [Sample.time(120)])
    }

    @Test func `end with the proof, never with a commit stamped by a clock that ran ahead`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4], open: 550)
        snapshot.lastCommits[Sample.segment(one, 5, .open).key] = Sample.time(4000)
        snapshot.backups = [Sample.backup(one, start: 310, end: 350, finished: 100)]
        snapshot.watermark = mark(one, archived: 540, proved: 400)
        #expect(snapshot.windows().map(\.to) == [Sample.time(400)])
        // Segments that were pushed after the sidecar's end: only their commits tell.
        Sample.fill(&snapshot, one, [3, 4, 5, 6])
        snapshot.lastCommits[Sample.segment(one, 6, .sealed).key] = Sample.time(450)
        #expect(snapshot.windows().map(\.to) == [Sample.time(450)])
    }

    @Test func `start at a whole millisecond that is itself restorable`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3])
        var backup = Sample.backup(one, start: 310, end: 350, finished: 100)
        backup.finished = CommitTime(microseconds: 100_000_001)
        snapshot.backups = [backup]
        #expect(snapshot.windows().map(\.from.microseconds) == [100_001_000])
    }

    @Test func `of a child timeline begin on its parent`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4], open: 577)
        Sample.fill(&snapshot, two, [5], open: 650)
        snapshot.ancestors[two] = [Ancestor(timeline: one, end: 550)]
        snapshot.backups = [Sample.backup(one, start: 310, end: 350, finished: 100)]
        snapshot.watermark = mark(two, archived: 650, proved: 800)
        #expect(
            snapshot.windows()
                == [RecoveryWindow(timeline: two, from: Sample.time(100), to: Sample.time(800))])
        #expect(snapshot.currentTimeline == two)
    }

    @Test func `of a branch leave out base backups taken behind the fork on the old timeline`() {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4, 5, 6])
        Sample.fill(&snapshot, two, [5])
        snapshot.ancestors[two] = [Ancestor(timeline: one, end: 550)]
        snapshot.backups = [Sample.backup(one, start: 610, end: 650, finished: 100)]
        #expect(snapshot.windows(on: two).isEmpty)
        #expect(snapshot.windows(on: one).count == 1)
    }

    @Test func `end at a gap with what was proved there, where its record says so`() {
        var snapshot = cut()
        var gap = Gap(timeline: one, first: 500, last: 700, found: Sample.time(290), reason: "x")
        gap.restorableTo = Sample.time(180)
        snapshot.gaps = [gap]
        #expect(snapshot.windows().map(\.to) == [Sample.time(180), Sample.time(400)])
        // A gap that begins elsewhere says nothing of this place.
        snapshot.gaps[0].first = 520
        #expect(snapshot.windows().map(\.to) == [Sample.time(150), Sample.time(400)])
    }

    /// Timed by arrival: what was made between 500 and 520 came at 520.
    private func outage() -> CatalogSnapshot {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4], open: 550)
        snapshot.backups = [Sample.backup(one, start: 310, end: 350, finished: 100)]
        snapshot.watermark = mark(one, archived: 550, proved: 900)
        snapshot.isTimedByArrival = true
        for segment in snapshot.segments[one] ?? [] {
            let first = segment.range.first
            let late = first == 400
            let from = Sample.time(Int64(first) + (late ? 100 : 0))
            snapshot.arrivals[segment.key] = Arrivals([
                TimeIndexEntry(
                    position: first, earliest: from,
                    latest: late ? Sample.time(520) : from)
            ])
        }
        return snapshot
    }

    /// The same, and a server that was promoted at 550: its first commands, of which nothing is
    /// known but that the archive is from 0 on, came at 700.
    private func failover(fork: UInt64, _ parent: [TimeIndexEntry]) -> CatalogSnapshot {
        var snapshot = outage()
        Sample.fill(&snapshot, two, [], open: 590)
        let open = Sample.segment(one, 5, .open).key
        let child = snapshot.segments[two]![0]
        snapshot.ancestors[two] = [Ancestor(timeline: one, end: fork)]
        snapshot.arrivals[open] = Arrivals(parent, forks: [fork])
        snapshot.arrivals[child.key] = Arrivals([
            TimeIndexEntry(
                position: fork, earliest: Sample.time(0), latest: Sample.time(700)),
            TimeIndexEntry(
                position: fork + 10, earliest: Sample.time(0), latest: Sample.time(701)),
            TimeIndexEntry(
                position: fork + 20, earliest: Sample.time(720), latest: Sample.time(720)),
        ])
        snapshot.watermark = mark(two, archived: 590, proved: 900)
        return snapshot
    }

    private func seconds(_ windows: [RecoveryWindow]) -> [[Int64]] {
        windows.map { [$0.from.microseconds / 1_000_000, $0.to.microseconds / 1_000_000] }
    }

    @Test func `are cut at an outage, whose ends belong to them`() {
        let snapshot = outage()
        #expect(seconds(snapshot.windows()) == [[100, 500], [520, 900]])
        #expect(snapshot.reaches(on: snapshot.path(to: one)).count == 1)
        #expect(snapshot.outage(at: Sample.time(500)) == nil)
        #expect(snapshot.outage(at: Sample.time(501)) != nil)
        #expect(snapshot.outage(at: Sample.time(520)) == nil)
    }

    @Test func `keep the history before a fork, up to the last that came before it`() {
        let times = [(500, 530), (530, 545), (545, 560)].map { (position, time) in
            TimeIndexEntry(
                position: UInt64(position), earliest: Sample.time(Int64(time)),
                latest: Sample.time(Int64(time)))
        }
        var snapshot = failover(fork: 550, times)
        #expect(seconds(snapshot.windows()) == [[100, 500], [520, 560], [701, 900]])
        // What the old server did behind the fork is on no way to the new one's.
        snapshot = failover(fork: 540, times)
        #expect(seconds(snapshot.windows()) == [[100, 500], [520, 545], [701, 900]])
        // Nothing before it but other segments.
        snapshot = failover(fork: 500, times)
        #expect(seconds(snapshot.windows()) == [[100, 500], [701, 900]])
    }

    @Test func `are whole over a fork that was followed at once`() {
        let last = TimeIndexEntry(
            position: 500, earliest: Sample.time(700).advanced(bySeconds: -0.4),
            latest: Sample.time(700).advanced(bySeconds: -0.4))
        var snapshot = failover(fork: 550, [last])
        let child = snapshot.segments[two]![0].key
        snapshot.arrivals[child] = Arrivals([
            TimeIndexEntry(position: 550, earliest: Sample.time(0), latest: Sample.time(700))
        ])
        #expect(seconds(snapshot.windows()) == [[100, 500], [520, 900]])
    }

    @Test func `of a segment that was not looked at promise nothing`() {
        var snapshot = outage()
        snapshot.arrivals[Sample.segment(one, 4, .sealed).key] = nil
        #expect(seconds(snapshot.windows()) == [[100, 300], [500, 900]])
        snapshot.arrivals = [:]
        #expect(snapshot.windows().isEmpty)
        snapshot.isTimedByArrival = false
        #expect(seconds(snapshot.windows()) == [[100, 900]])
    }

    @Test func `go on with a newer proof, behind what came late since`() throws {
        let newest = try #require(outage().newestReach)
        var live = mark(one, archived: 600, proved: 1000)
        let proved = { newest.proved(by: $0).map { seconds([$0]) } }
        #expect(proved(live) == [[900, 1000]])
        live.lateUntil = Sample.time(890)
        #expect(proved(live) == [[900, 1000]])
        live.lateUntil = Sample.time(950)
        #expect(proved(live) == [[950, 1000]])
        live.lateUntil = Sample.time(1001)
        #expect(proved(live) == nil)
        #expect(proved(mark(one, archived: 600, proved: 900)) == nil)
        #expect(proved(mark(two, archived: 600, proved: 1000)) == nil)
    }
}
