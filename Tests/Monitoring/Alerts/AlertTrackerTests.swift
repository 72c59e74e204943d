import Model
import TestKit
import Testing

@testable import Monitoring

struct AlertTrackerTests {
    /// A tracker, and clocks that go on with every look.
    private struct Watch {
        var tracker = AlertTracker()
        var now = 100.0

        var repository = "ok"

        mutating func look(_ source: SourceStatus, after seconds: Double = 0.5) -> [String] {
            now += seconds
            return tracker.observe(
                source, repository: repository, now: MonotonicTime(nanoseconds: UInt64(now * 1e9)),
                wall: SampleStatus.time(now)
            ).map { "\($0.event.rawValue) \($0.step.rawValue)" }
        }

        /// Looks at the same for so long.
        mutating func look(_ source: SourceStatus, for seconds: Double) -> [String] {
            (0..<Int(seconds * 2)).flatMap { _ in look(source) }
        }
    }

    private func source(
        _ exposure: Double?, _ state: StreamState = .streaming, gaps: Int = 0
    ) -> SourceStatus {
        var source = SampleStatus.source(state: state, exposure: exposure, rpo: 100, reason: "why")
        source.gaps = (0..<gaps).map { number in
            SourceStatus.GapStatus(
                Gap(
                    timeline: TimelineID("1"), first: UInt64(number), last: 10,
                    found: SampleStatus.time(1), reason: "slot"), HundredStyle())
        }
        return source
    }

    @Test func `a breach is told at the first look, once`() {
        var watch = Watch()
        #expect(watch.look(source(99.9)).isEmpty)
        #expect(watch.look(source(100.1)) == ["breached raised"])
        #expect(watch.look(source(500), for: 60).isEmpty)
    }

    @Test func `a source that is about to drop history is told once, below a quarter`() {
        var watch = Watch()
        let left = { (share: Double?) in
            var source = source(1)
            source.sourceWindow = SourceWindow(
                kind: "oplog", headroomSeconds: 90, headroomBytes: 1, share: share)
            return source
        }
        #expect(watch.look(left(0.26), for: 5).isEmpty)
        #expect(watch.look(left(0.24)) == ["window-short raised"])
        #expect(watch.look(left(0.01), for: 60).isEmpty)
        // Neither short nor long enough, and nobody knows: it stays.
        #expect(watch.look(left(0.3), for: 60).isEmpty)
        #expect(watch.look(left(nil), for: 60).isEmpty)
        #expect(watch.look(left(0.36), for: 5).isEmpty)
        #expect(watch.look(left(0.36), for: 10) == ["window-short recovered"])
        #expect(watch.look(left(0.26), for: 60).isEmpty)
        var tracker = AlertTracker()
        let alert = tracker.observe(
            left(0.2), now: MonotonicTime(nanoseconds: 1), wall: SampleStatus.time(1)
        ).first
        let reason = "only 20 % of the source's oplog is left, about 90 s at the present rate"
        #expect(alert?.reason == "why; " + reason)
        #expect(alert?.text.contains("is about to drop history that is not archived") == true)
    }

    @Test func `what an earlier process has told is not told again, and taken back when over`() {
        var watch = Watch()
        watch.tracker.takeUp([.breached: SampleStatus.time(3), .stalled: SampleStatus.time(4)])
        #expect(watch.look(source(500), for: 30) == ["stalled recovered"])
        #expect(watch.tracker.standing == [.breached: SampleStatus.time(3)])
        #expect(watch.look(source(1), for: 30) == ["breached recovered"])
        #expect(watch.tracker.standing.isEmpty)
    }

    @Test func `another sidecar that has ended is trouble, our own end is none`() {
        var watch = Watch()
        #expect(watch.look(source(1), for: 5).isEmpty)
        let told = watch.look(source(500, .stopped), for: 40)
        #expect(told == ["breached raised", "stalled raised"])
        var ours = Watch()
        var stopped = source(500, .stopped)
        stopped.isOurStop = true
        #expect(ours.look(stopped, for: 100).isEmpty)
    }

    @Test func `a repository that takes nothing is told after half a minute, for every source`() {
        var watch = Watch()
        watch.repository = "the repository cannot be written to"
        #expect(watch.look(source(1), for: 29).isEmpty)
        #expect(watch.look(source(1), for: 5) == ["stalled raised"])
        watch.repository = "ok"
        #expect(watch.look(source(1), for: 20) == ["stalled recovered"])
    }

    @Test func `an exposure that swings about its objective is one alert`() {
        var watch = Watch()
        var told: [String] = []
        for _ in 0..<100 {
            told += watch.look(source(101), for: 3)
            told += watch.look(source(60), for: 5)
            told += watch.look(source(90), for: 20)
        }
        #expect(told == ["breached raised"])
        #expect(watch.look(source(90), for: 60).isEmpty)
        #expect(watch.look(source(80), for: 30) == ["breached recovered"])
        #expect(watch.look(source(80), for: 60).isEmpty)
        #expect(watch.look(source(101)) == ["breached raised"])
    }

    @Test func `that nothing is proved is a breach after a minute, not at the first start`() {
        var watch = Watch()
        #expect(watch.look(source(nil), for: 59).isEmpty)
        #expect(watch.look(source(nil), for: 3) == ["breached raised"])
        #expect(watch.look(source(0.5), for: 20) == ["breached recovered"])
    }

    @Test func `a stall is told at once, connecting only when it lasts`() {
        var watch = Watch()
        #expect(watch.look(source(1, .connecting), for: 25).isEmpty)
        #expect(watch.look(source(1), for: 25).isEmpty)
        #expect(watch.look(source(1, .connecting), for: 35) == ["stalled raised"])
        #expect(watch.look(source(1), for: 5).isEmpty)
        #expect(watch.look(source(1, .stalled), for: 20).isEmpty)
        #expect(watch.look(source(1, .catchingUp), for: 15) == ["stalled recovered"])
        #expect(watch.look(source(1, .stalled)) == ["stalled raised"])
    }

    @Test func `a gap of old is not told when the archive is read at last`() {
        var watch = Watch()
        var unread = source(nil, .connecting)
        unread.isRead = false
        #expect(watch.look(unread, for: 2).isEmpty)
        #expect(watch.look(source(1, gaps: 2), for: 20).isEmpty)
        #expect(watch.look(unread, for: 2).isEmpty)
        #expect(watch.look(source(1, gaps: 2), for: 20).isEmpty)
        #expect(watch.look(source(1, gaps: 3)) == ["gap raised"])
    }

    @Test func `a gap is told, also one that was mended before anybody looked`() {
        var watch = Watch()
        #expect(watch.look(source(1, gaps: 2), for: 5).isEmpty)
        #expect(watch.look(source(nil, .gap, gaps: 3)) == ["gap raised"])
        #expect(watch.look(source(1, gaps: 3), for: 20) == ["gap recovered"])
        #expect(watch.look(source(1, gaps: 4)) == ["gap raised"])
        #expect(watch.look(source(1, gaps: 4), for: 20) == ["gap recovered"])
        var late = Watch()
        #expect(late.look(source(nil, .gap, gaps: 1)) == ["gap raised"])
    }

    @Test func `a sidecar that is being stopped tells nothing`() {
        var watch = Watch()
        for exposure in [500, nil] as [Double?] {
            var stopped = source(exposure, .stopped)
            stopped.isOurStop = true
            #expect(watch.look(stopped, for: 90).isEmpty)
        }
    }

    @Test func `the message says who, what, since when and why`() throws {
        var tracker = AlertTracker()
        var alert = try #require(
            tracker.observe(
                source(250), now: MonotonicTime(nanoseconds: 1), wall: SampleStatus.time(50)
            ).first)
        alert.host = "db1"
        #expect(
            alert.text
                == "ledger on db1: 4 min 10 s could be lost, the objective is 1 min 40 s: why")
        #expect(alert.since == SampleStatus.time(50))
        alert.step = .recovered
        alert.time = SampleStatus.time(80)
        #expect(alert.text == "ledger on db1: recovered from breached after 30 s")
    }

    @Test func `a queue is bounded and drops what is oldest`() throws {
        var tracker = AlertTracker()
        let alert = try #require(
            tracker.observe(
                source(250), now: MonotonicTime(nanoseconds: 1), wall: SampleStatus.time(50)
            ).first)
        var queue = AlertQueue()
        for number in 0..<AlertQueue.limit + 5 {
            var one = alert
            one.reason = "\(number)"
            queue.add(one)
        }
        #expect(queue.takeDropped() == 5)
        #expect(queue.takeDropped() == 0)
        #expect(queue.next()?.reason == "5")
        var count = 0
        while queue.next() != nil { count += 1 }
        #expect(count == AlertQueue.limit - 1)
    }
}
