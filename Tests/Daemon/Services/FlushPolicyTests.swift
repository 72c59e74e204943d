import Model
import Testing

@testable import Daemon

struct FlushPolicyTests {
    private func at(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: UInt64(seconds * 1e9))
    }

    private func isDue(
        _ policy: inout FlushPolicy, _ moment: FlushPolicy.Moment, waited: Bool = false,
        overdue: Bool = false, at seconds: Double
    ) -> Bool {
        policy.isFlushDue(
            moment, hasUnflushed: true, isOverdue: overdue, isWaitedFor: waited, now: at(seconds))
    }

    @Test func `a commit that waits is flushed at once, however new the last flush is`() {
        var policy = FlushPolicy(interval: 1)
        policy.flushed(at(10), since: at(9.99))
        let atOnce = isDue(&policy, .quiet, waited: true, at: 10.0001)
        #expect(atOnce)
    }

    @Test func `the first commit after a quiet time waits for no timer, whoever waits`() {
        var policy = FlushPolicy(interval: 60)
        let first = isDue(&policy, .quiet, at: 1)
        #expect(first)
        policy.flushed(at(1), since: at(0.5))
        let early = isDue(&policy, .quiet, at: 1.01)
        #expect(!early)
        let late = isDue(&policy, .quiet, at: 1.021)
        #expect(late)
    }

    @Test func `flushes that nobody is known to wait for take a fifth of the time`() {
        var policy = FlushPolicy(interval: 60)
        policy.flushed(at(1), since: at(0.999))
        let early = isDue(&policy, .quiet, at: 1.003)
        #expect(!early)
        #expect(policy.deadline(hasUnflushed: true, now: at(1.003)) < at(1.00401))
        let late = isDue(&policy, .quiet, at: 1.0041)
        #expect(late)
    }

    @Test func `in the middle of a bulk only age makes a flush`() {
        var policy = FlushPolicy(interval: 1)
        policy.flushed(at(1), since: at(0.5))
        let waitedFor = isDue(&policy, .bulk, waited: true, at: 1.9)
        #expect(!waitedFor)
        let overdue = isDue(&policy, .bulk, overdue: true, at: 2.1)
        #expect(overdue)
    }

    @Test func `nothing received is nothing to flush`() {
        var policy = FlushPolicy(interval: 1)
        let isDue = policy.isFlushDue(
            .quiet, hasUnflushed: false, isOverdue: false, isWaitedFor: true, now: at(5))
        #expect(!isDue)
    }

    @Test func `a pull returns in time for what is left to do`() {
        var policy = FlushPolicy(interval: 1)
        #expect(policy.deadline(hasUnflushed: false, now: at(1)) == at(2))
        policy.flushed(at(1), since: at(0))
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
