import Model
import Testing

@testable import Daemon

struct FlushPolicyTests {
    private func at(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: UInt64(seconds * 1e9))
    }

    private func isDue(
        _ policy: inout FlushPolicy, _ moment: FlushPolicy.Moment, _ received: UInt64? = 100,
        waited: Bool = false, overdue: Bool = false, at seconds: Double
    ) -> Bool {
        policy.isFlushDue(
            moment, received: received, isOverdue: overdue, isWaitedFor: waited, now: at(seconds))
    }

    @Test func `a commit that waits is flushed at once, however new the last flush is`() {
        var policy = FlushPolicy(interval: 1)
        policy.flushed(at(10))
        let due = isDue(&policy, .quiet, waited: true, at: 10.0001)
        #expect(due)
    }

    @Test func `the first commit after a quiet time waits for no timer, whoever waits`() {
        var policy = FlushPolicy(interval: 60)
        let first = isDue(&policy, .quiet, at: 1)
        #expect(first)
        policy.flushed(at(1))
        let later = isDue(&policy, .quiet, 200, at: 1.021)
        #expect(later)
    }

    @Test func `while more keeps coming a flush that nobody waits for has its spacing`() {
        var policy = FlushPolicy(interval: 60)
        policy.flushed(at(1))
        for step in 1..<20 {
            let due = isDue(&policy, .quiet, UInt64(step), at: 1 + Double(step) / 1000)
            #expect(!due)
        }
        let due = isDue(&policy, .quiet, 20, at: 1.0201)
        #expect(due)
    }

    @Test func `who waits writes nothing more, and that shows`() {
        var policy = FlushPolicy(interval: 60)
        policy.flushed(at(1))
        let early = isDue(&policy, .quiet, 5, at: 1.001)
        #expect(!early)
        #expect(policy.deadline(hasUnflushed: true, now: at(1.001)) == at(1.003))
        let silent = isDue(&policy, .quiet, 5, at: 1.0031)
        #expect(silent)
        policy.flushed(at(1.0035))
        let next = isDue(&policy, .quiet, 6, at: 1.004)
        #expect(next)
        policy.flushed(at(3))
        let muchLater = isDue(&policy, .quiet, 7, at: 3.001)
        #expect(!muchLater)
    }

    @Test func `in the middle of a bulk only age makes a flush`() {
        var policy = FlushPolicy(interval: 1)
        policy.flushed(at(1))
        let waited = isDue(&policy, .bulk, waited: true, at: 1.9)
        #expect(!waited)
        let overdue = isDue(&policy, .bulk, overdue: true, at: 2.1)
        #expect(overdue)
    }

    @Test func `nothing received is nothing to flush`() {
        var policy = FlushPolicy(interval: 1)
        let due = isDue(&policy, .quiet, nil, waited: true, at: 5)
        #expect(!due)
    }

    @Test func `a pull returns in time for what is left to do`() {
        var policy = FlushPolicy(interval: 1)
        #expect(policy.deadline(hasUnflushed: false, now: at(1)) == at(2))
        #expect(policy.deadline(hasUnflushed: true, now: at(1)) == at(1.02))
        _ = policy.isReportDue(at(1))
        let isSecondDue = policy.isReportDue(at(1.001))
        #expect(!isSecondDue)
        #expect(policy.deadline(hasUnflushed: false, now: at(1.001)) < at(1.03))
        let isThirdDue = policy.isReportDue(at(1.021))
        #expect(isThirdDue)
        #expect(policy.deadline(hasUnflushed: false, now: at(1.021)) > at(2))
    }
}
