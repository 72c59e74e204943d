import Model
import Testing

@testable import Monitoring

struct ObjectiveTrackerTests {
    private struct Watch {
        var tracker = ObjectiveTracker()
        var now = 100.0

        mutating func look(_ exposure: Double?) -> ObjectiveState {
            now += 0.5
            return tracker.observe(
                exposure, rpo: 100, now: MonotonicTime(nanoseconds: UInt64(now * 1e9)))
        }
    }

    @Test func `worse is shown at once, better when it has lasted`() {
        var watch = Watch()
        #expect(watch.look(1) == .met)
        #expect(watch.look(50.1) == .atRisk)
        #expect(watch.look(100.1) == .breached)
        for _ in 0..<10 {
            let state = watch.look(60)
            #expect(state == .breached)
        }
        #expect(watch.look(60) == .atRisk)
        for _ in 0..<10 {
            let state = watch.look(1)
            #expect(state == .atRisk)
        }
        #expect(watch.look(1) == .met)
    }

    @Test func `what swings about a limit keeps the worse name`() {
        var watch = Watch()
        _ = watch.look(101)
        for round in 0..<200 {
            let state = watch.look(round % 4 == 0 ? 100.5 : 60)
            #expect(state == .breached)
        }
        for _ in 0..<100 {
            // Below the limit, not clearly.
            let state = watch.look(90)
            #expect(state == .breached)
        }
    }

    @Test func `unknown is breached, and the first number after it counts at once`() {
        var watch = Watch()
        #expect(watch.look(nil) == .breached)
        #expect(watch.look(1) == .met)
        #expect(watch.look(nil) == .breached)
        #expect(watch.look(60) == .atRisk)
    }
}
