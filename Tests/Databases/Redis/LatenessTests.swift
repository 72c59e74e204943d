import Model
@testable import Redis
import Testing

struct LatenessTests {
    private func at(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: 0).advanced(bySeconds: 1000 + seconds)
    }

    private func wall(_ seconds: Double) -> CommitTime {
        CommitTime(microseconds: 0).advanced(bySeconds: 5000 + seconds)
    }

    private func began(at start: UInt64, end: UInt64?, proved: CommitTime? = nil) -> Lateness {
        var lateness = Lateness()
        lateness.began(
            at: start, sourceEnd: end, proved: proved, created: wall(-900), at(0))
        return lateness
    }

    @Test func `what came while nobody was connected is as old as the last proof`() {
        var lateness = began(at: 100, end: 500, proved: wall(-60))
        lateness.received(at(0.1), wall(0.1))
        #expect(lateness.earliest == wall(-60))
        lateness.handedOn(to: 300, isAll: true)
        #expect(lateness.earliest == wall(-60))
        lateness.received(at(0.2), wall(0.2))
        lateness.handedOn(to: 600, isAll: false)
        #expect(lateness.earliest == wall(-60))
        lateness.handedOn(to: 700, isAll: true)
        #expect(lateness.earliest == nil)
    }

    @Test func `a stream joined at the source's end is not late`() {
        #expect(began(at: 500, end: 500).earliest == nil)
        #expect(began(at: 499, end: 500).earliest == wall(-900))
        // Not allowed to ask: it may be.
        #expect(began(at: 500, end: nil).earliest == wall(-900))
    }

    @Test func `what waited while we were held up is as old as the last look`() {
        var lateness = began(at: 500, end: 500)
        lateness.looked(at(1))
        lateness.waited(until: at(2), atMost: 1)
        lateness.received(at(2.1), wall(2.1))
        #expect(lateness.earliest == nil)
        lateness.handedOn(to: 600, isAll: true)
        // A flush that blocked.
        lateness.received(at(10), wall(10))
        #expect(lateness.earliest == wall(2.1))
        lateness.handedOn(to: 700, isAll: true)
        #expect(lateness.earliest == nil)
        // A machine that slept during a wait.
        lateness.looked(at(11))
        lateness.waited(until: at(60), atMost: 1)
        lateness.received(at(60), wall(60))
        #expect(lateness.earliest == wall(11))
    }

    @Test func `an idle stream whose owner looks is never late`() {
        var lateness = began(at: 500, end: 500)
        for second in 1...100 {
            lateness.looked(at(Double(second)))
            lateness.waited(until: at(Double(second) + 0.9), atMost: 0.9)
        }
        lateness.received(at(101), wall(101))
        #expect(lateness.earliest == nil)
    }
}
