import Model
import Testing

@testable import Monitoring

struct ExposureTrackerTests {
    private let one = TimelineID("1")

    private func probe(_ second: Int, bound: UInt64, timeline: String = "1") -> Probe {
        Probe(
            timeline: TimelineID(timeline), bound: bound,
            sourceTime: CommitTime(microseconds: Int64(second) * 1_000_000 + 7),
            asked: MonotonicTime(nanoseconds: UInt64(second) * 1_000_000_000),
            askedWall: CommitTime(microseconds: Int64(second) * 1_000_000),
            answered: MonotonicTime(nanoseconds: UInt64(second) * 1_000_000_000 + 1000))
    }

    private func at(_ second: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: UInt64(second * 1e9))
    }

    private func position(_ ordinal: UInt64, _ timeline: String = "1") -> Position {
        Position(timeline: TimelineID(timeline), ordinal: ordinal)
    }

    @Test func `without a probe nothing is proved however far the archive is`() {
        var tracker = ExposureTracker()
        tracker.advance(to: position(.max))
        #expect(tracker.proof == nil)
        #expect(tracker.exposure(at(100)) == nil)
    }

    @Test func `a probe proves its time once its bound is archived and not one byte earlier`() {
        var tracker = ExposureTracker()
        tracker.add(probe(10, bound: 500), archived: position(100))
        tracker.advance(to: position(499))
        #expect(tracker.proof == nil)
        tracker.advance(to: position(500))
        #expect(tracker.proof?.restorableTo == CommitTime(microseconds: 10_000_007))
        #expect(tracker.exposure(at(13)) == 3)
    }

    @Test func `an idle source is proved anew by every probe without a byte`() {
        var tracker = ExposureTracker()
        for second in 1...50 {
            tracker.add(probe(second, bound: 500), archived: position(500))
            #expect(tracker.exposure(at(Double(second) + 0.5)) == 0.5)
        }
    }

    @Test func `a frozen archive lets the exposure grow although probes go on`() {
        var tracker = ExposureTracker()
        tracker.add(probe(1, bound: 500), archived: position(500))
        for second in 2...1000 {
            tracker.add(probe(second, bound: 501), archived: position(500))
        }
        #expect(tracker.exposure(at(1000)) == 999)
    }

    @Test func `after a long outage the newest fulfilled probe counts`() {
        var tracker = ExposureTracker()
        for second in 1...3000 {
            tracker.add(probe(second, bound: UInt64(second)), archived: position(0))
        }
        tracker.advance(to: position(2000))
        let exposure = tracker.exposure(at(3000))!
        #expect(exposure >= 1000)
        tracker.advance(to: position(3000))
        #expect(tracker.exposure(at(3000)) == 0)
    }

    @Test func `a position of another timeline fulfils nothing`() {
        var tracker = ExposureTracker()
        tracker.add(probe(5, bound: 10), archived: position(99, "2"))
        #expect(tracker.proof == nil)
        tracker.add(probe(6, bound: 10, timeline: "2"), archived: position(99, "2"))
        #expect(tracker.exposure(at(6)) == 0)
    }

    /// A probe of a source whose clock stands ahead by `jump`.
    private func probe(_ second: Int, jump: Double, bound: UInt64 = 1) -> Probe {
        var probe = probe(second, bound: bound)
        probe.sourceTime = probe.sourceTime?.advanced(bySeconds: jump)
        return probe
    }

    private func restorable(_ tracker: ExposureTracker) -> Double? {
        tracker.proof.map { Double($0.restorableTo.microseconds) / 1e6 }
    }

    @Test func `a source clock that jumps ahead does not carry the proof into the future`() {
        var tracker = ExposureTracker()
        tracker.add(probe(10, jump: 0), archived: position(1))
        for second in 11...15 {
            tracker.add(probe(second, jump: 3600), archived: position(1))
            #expect(restorable(tracker)! <= Double(second) + 0.001)
            #expect(restorable(tracker)! >= Double(second))
            #expect(abs(tracker.clock.jumpSeconds! - 3600) < 0.01)
        }
        tracker.add(probe(16, jump: 0), archived: position(1))
        #expect(restorable(tracker) == 16.000007)
        #expect(tracker.clock.jumpSeconds == nil)
        #expect(tracker.exposure(at(16)) == 0)
    }

    @Test func `a jump ahead that lasts is followed in the end`() {
        var tracker = ExposureTracker()
        tracker.add(probe(10, jump: 0), archived: position(1))
        for second in 11...70 { tracker.add(probe(second, jump: 3600), archived: position(1)) }
        #expect(restorable(tracker)! < 71)
        for second in 71...72 { tracker.add(probe(second, jump: 3600), archived: position(1)) }
        #expect(restorable(tracker) == 3672.000007)
    }

    @Test func `a clock set back takes back what was claimed, and what waits to be`() {
        var tracker = ExposureTracker()
        tracker.add(probe(10, jump: 3600), archived: position(1))
        #expect(restorable(tracker) == 3610.000007)
        tracker.add(probe(11, jump: 3600, bound: 5), archived: position(1))
        tracker.add(probe(12, jump: 0, bound: 9), archived: position(1))
        #expect(restorable(tracker)! <= 12 && restorable(tracker)! > 10.9)
        tracker.advance(to: position(5))
        #expect(restorable(tracker)! <= 12)
        tracker.advance(to: position(9))
        #expect(restorable(tracker) == 12.000007)
    }

    @Test func `drift and slow answers are no jumps`() {
        var tracker = ExposureTracker()
        for second in 1...1000 {
            var next = probe(second, jump: Double(second) * 0.0005)
            next.answered = next.answered.advanced(bySeconds: second % 7 == 0 ? 3 : 0)
            tracker.add(next, archived: position(1))
            #expect(tracker.clock.jumpSeconds == nil)
        }
        #expect(restorable(tracker)! > 1000.4)
    }

    @Test func `the offset that a watermark keeps shows a jump over a restart`() {
        let mark = Watermark(
            timeline: one, state: .streaming, received: 5, archived: 5, restorableTo: nil,
            provedAt: nil, written: CommitTime(microseconds: 9_000_000), clockOffsetSeconds: 0)
        var tracker = ExposureTracker(mark, now: reading(10, wall: 10, "b"))
        tracker.add(probe(11, jump: 3600), archived: position(1))
        #expect(restorable(tracker)! < 11.1)
    }

    @Test func `an offset that was measured by a slow look is no jump after a restart`() {
        let mark = Watermark(
            timeline: one, state: .streaming, received: 5, archived: 5, restorableTo: nil,
            provedAt: nil, written: CommitTime(microseconds: 9_000_000), clockOffsetSeconds: -0.5,
            clockErrorSeconds: 0.5)
        var tracker = ExposureTracker(mark, now: reading(10, wall: 10, "b"))
        tracker.add(probe(11, jump: 0), archived: position(1))
        #expect(tracker.clock.jumpSeconds == nil)
    }

    @Test func `after a reboot the age of the old proof comes from the wall clock`() {
        let mark = Watermark(
            timeline: one, state: .streaming, received: 5, archived: 5,
            restorableTo: CommitTime(microseconds: 1_000_000),
            provedAt: CommitTime(microseconds: 1_100_000),
            written: CommitTime(microseconds: 2_000_000), boot: "a", writtenUptime: 1,
            provedUptime: 0)
        let tracker = ExposureTracker(mark, now: reading(500, wall: 61.1, "b"))
        #expect(abs(tracker.exposure(at(500))! - 60) < 0.001)
        // Up for a second only: the age is still the true one.
        let early = ExposureTracker(mark, now: reading(1, wall: 61.1, "b"))
        #expect(abs(early.exposure(at(1))! - 60) < 0.001)
    }

    @Test func `a proof from the future is dropped, never taken for a fresh one`() {
        let mark = Watermark(
            timeline: one, state: .streaming, received: 5, archived: 5,
            restorableTo: CommitTime(microseconds: 1_000_000),
            provedAt: CommitTime(microseconds: 100_000_000),
            written: CommitTime(microseconds: 100_000_000), boot: "a", writtenUptime: 7_000_000_000,
            provedUptime: 6_000_000_000)
        #expect(ExposureTracker(mark, now: reading(500, wall: 50, "b")).proof == nil)
        // On the same boot the wall clock may say what it will.
        let same = ExposureTracker(mark, now: reading(60, wall: 50, "a"))
        #expect(same.exposure(at(60)) == 54)
        #expect(same.proof?.lead == 0)
    }

    private func reading(_ second: Double, wall: Double, _ boot: String) -> ClockReading {
        ClockReading(
            wall: CommitTime(microseconds: Int64(wall * 1e6)), uptime: at(second), boot: boot)
    }
}
