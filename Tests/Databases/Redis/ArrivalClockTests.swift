import Model
import Testing

@testable import Redis

/// When what arrives was committed, told from looks at the socket and answers of the side
/// connection. Times are seconds; position and time of the source go on together.
struct ArrivalClockTests {
    private let line = TimelineID("a")
    private var clock = ArrivalClock()

    init() { clock.opened(at: Position(timeline: line, ordinal: 0), known: at(100), now: mono(100)) }

    private func at(_ seconds: Double) -> CommitTime {
        CommitTime(microseconds: Int64((seconds * 1e6).rounded()))
    }
    private func mono(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: UInt64(seconds * 1e9))
    }

    private mutating func look(
        _ seconds: Double, at position: UInt64, isEmpty: Bool = true, isInside: Bool = false
    ) {
        clock.take(
            ArrivalClock.Look(
                position: position, isInside: isInside, isEmpty: isEmpty, now: mono(seconds),
                time: at(seconds)))
    }

    private mutating func answer(_ seconds: Double, _ end: UInt64) {
        clock.add(
            ArrivalClock.Answer(
                end: Position(timeline: line, ordinal: end), time: at(seconds),
                asked: mono(seconds), answered: mono(seconds)))
    }

    private mutating func since(_ seconds: Double, from: UInt64, changes: Bool = true) -> Double? {
        clock.stamp(from: from, at: at(seconds), changes: changes).since.map {
            Double($0.microseconds) / 1e6
        }
    }

    @Test mutating func `what arrives while the socket is watched is as old as it looks`() {
        for step in 1...8 { look(100 + Double(step) * 0.25, at: 0) }
        look(102.1, at: 0, isEmpty: false)
        #expect(since(102.1, from: 0) == nil)
    }

    @Test mutating func `what arrives behind a break may be as old as the break`() {
        for step in 1...8 { look(100 + Double(step) * 0.25, at: 0) }
        look(109, at: 0, isEmpty: false)
        #expect(since(109, from: 0) == 102)
        // The socket is empty for an instant, and more is on its way.
        look(109.001, at: 50)
        look(109.002, at: 50, isEmpty: false)
        #expect(since(109.002, from: 50) == 102)
        look(109.01, at: 90)
        look(109.1, at: 90)
        look(109.2, at: 90, isEmpty: false)
        #expect(since(109.2, from: 90) == nil)
    }

    @Test mutating func `a PING behind a break is no doubt`() {
        look(100.1, at: 0)
        look(109, at: 0, isEmpty: false)
        #expect(since(109, from: 0, changes: false) == nil)
    }

    @Test mutating func `bytes that an answer named and that do not come are outstanding`() {
        for step in 1...4 { look(100 + Double(step) * 0.25, at: 0) }
        answer(101.1, 40)
        for step in 5...20 { look(100 + Double(step) * 0.25, at: 0) }
        look(105.1, at: 0, isEmpty: false)
        // Empty until 101.25 although the answer was there: it may still have been prompt then.
        #expect(since(105.1, from: 0) == 101.25)
    }

    @Test mutating func `without further answers an empty socket says nothing`() {
        look(100.1, at: 0)
        answer(100.2, 0)
        for step in 1...40 { look(100.2 + Double(step) * 0.25, at: 0) }
        look(110.3, at: 0, isEmpty: false)
        #expect(since(110.3, from: 0) == 102.7)
    }

    @Test mutating func `what lies behind the end that an answer named is younger than it`() {
        // Never empty: the archiver is as slow as the source.
        for step in 1...40 {
            if step % 10 == 0 { answer(100 + Double(step) * 0.1, UInt64(step * 10)) }
            look(100 + Double(step) * 0.1, at: UInt64(step * 10), isEmpty: false)
        }
        look(104.9, at: 440, isEmpty: false)
        #expect(since(104.9, from: 440) == 104)
        #expect(since(104.95, from: 399) == 0)
    }

    @Test mutating func `inside a command nothing is concluded`() {
        look(100.3, at: 0)
        look(100.4, at: 0)
        for step in 1...8 { look(100.4 + Double(step) * 0.25, at: 7, isInside: true) }
        #expect(since(102.5, from: 0) == 100.4)
    }

    @Test mutating func `bytes that are sent again are as old as the archive's end`() {
        for step in 1...8 { look(100 + Double(step) * 0.25, at: 90) }
        clock.opened(at: Position(timeline: line, ordinal: 50), known: at(100.5), now: mono(110))
        look(110, at: 50, isEmpty: false)
        #expect(since(110, from: 50) == 100.5)
        clock.opened(at: Position(timeline: line, ordinal: 40), known: nil, now: mono(111))
        #expect(since(111, from: 40) == 0)
    }

    @Test mutating func `a clock that is measured a little differently does not run backwards`() {
        #expect(clock.stamp(from: 0, at: at(100.010), changes: false).time == at(100.010))
        #expect(clock.stamp(from: 9, at: at(100.008), changes: false).time == at(100.010))
        #expect(clock.stamp(from: 9, at: at(90), changes: false).time == at(90))
    }
}
