import Model
import Platform
import Synchronization
import Testing

@testable import tidemark

@Suite struct ProgressTests {
    /// A clock that the test sets.
    private final class Clock: TimeSource {
        let now = Mutex<Double>(100)
        func monotonic() -> MonotonicTime {
            MonotonicTime(nanoseconds: 0).advanced(bySeconds: now.withLock { $0 })
        }
        func wall() -> CommitTime { CommitTime(microseconds: 0) }
        func pass(_ seconds: Double) { now.withLock { $0 += seconds } }
    }

    private final class Lines: Sendable {
        let text = Mutex<[String]>([])
        var all: [String] { text.withLock { $0 } }
    }

    private func line(isTerminal: Bool) -> (ProgressLine, Clock, Lines) {
        let (clock, lines) = (Clock(), Lines())
        let line = ProgressLine(time: clock, isTerminal: isTerminal) { text in
            lines.text.withLock { $0.append(text) }
        }
        return (line, clock, lines)
    }

    @Test func `elsewhere than on a terminal there is a line per ten seconds`() {
        let (line, clock, lines) = line(isTerminal: false)
        line.began("base backup of ledger", total: 1000 << 20)
        for second in 1...25 {
            clock.pass(1)
            line.advanced(to: UInt64(second) * 20 << 20)
        }
        line.ended(isDone: true)
        #expect(
            lines.all == [
                "base backup of ledger: 200.0 MiB of 1000.0 MiB (20 %), 20.0 MiB/s, 40 s left\n",
                "base backup of ledger: 400.0 MiB of 1000.0 MiB (40 %), 20.0 MiB/s, 30 s left\n",
                "base backup of ledger: 500.0 MiB in 25 s, 20.0 MiB/s\n",
            ])
    }

    @Test func `on a terminal the line is drawn over the one before`() {
        let (line, clock, lines) = line(isTerminal: true)
        line.began("verify", total: nil)
        line.advanced(to: 1)
        clock.pass(0.25)
        line.advanced(to: 1 << 20)
        clock.pass(0.75)
        line.advanced(to: 2 << 20)
        line.ended(isDone: true)
        #expect(
            lines.all == [
                "\rverify: 1.0 MiB, 4.0 MiB/s\u{1B}[K", "\rverify: 2.0 MiB, 2.0 MiB/s\u{1B}[K",
                "\rverify: 2.0 MiB in 1 s, 2.0 MiB/s\u{1B}[K\n",
            ])
    }

    @Test func `the rate is that of the last seconds`() {
        var meter = ProgressMeter(
            "x", total: nil, isTerminal: false, now: MonotonicTime(nanoseconds: 0))
        func at(_ seconds: Double) -> MonotonicTime {
            MonotonicTime(nanoseconds: 0).advanced(bySeconds: seconds)
        }
        #expect(meter.advance(to: 100 << 20, now: at(10)) == "x: 100.0 MiB, 10.0 MiB/s")
        #expect(meter.advance(to: 100 << 20, now: at(20)) == "x: 100.0 MiB, 0 B/s")
        #expect(meter.advance(to: 130 << 20, now: at(30)) == "x: 130.0 MiB, 3.0 MiB/s")
    }

    @Test func `an estimate that was too low is not exceeded`() {
        var meter = ProgressMeter(
            "x", total: 10, isTerminal: false, now: MonotonicTime(nanoseconds: 0))
        let later = MonotonicTime(nanoseconds: 0).advanced(bySeconds: 10)
        #expect(meter.advance(to: 20, now: later) == "x: 20 B of 20 B (99 %), 2 B/s")
    }

    @Test func `work that was given up is not called done`() {
        let (line, clock, lines) = line(isTerminal: false)
        line.began("base backup of ledger", total: nil)
        clock.pass(3)
        line.ended(isDone: false)
        line.began("base backup of ledger", total: nil)
        line.advanced(to: 5 << 20)
        clock.pass(3)
        line.ended(isDone: false)
        #expect(
            lines.all == [
                "base backup of ledger: given up after 0 B, 3 s\n",
                "base backup of ledger: given up after 5.0 MiB, 3 s\n",
            ])
    }

    @Test func `nothing is shown when nothing was begun`() {
        let (line, clock, lines) = line(isTerminal: true)
        clock.pass(60)
        line.advanced(to: 5)
        line.ended(isDone: true)
        #expect(lines.all.isEmpty)
    }

    @Test(arguments: [
        (0.0, "0 s"), (0.4, "1 s"), (59, "59 s"), (61, "1 min 01 s"), (3599.5, "1 h 00 min"),
        (7621, "2 h 07 min"),
    ])
    func `times are short`(seconds: Double, text: String) {
        #expect(ProgressMeter.time(seconds) == text)
    }
}
