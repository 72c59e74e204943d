import Model
@testable import Redis
import Testing

struct AckPolicyTests {
    private func at(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: UInt64(seconds * 1e9))
    }

    @Test func `each second one byte less than is durable`() {
        var policy = AckPolicy()
        #expect(policy.next(durable: 100, now: at(1)) == 99)
        #expect(policy.next(durable: 200, now: at(1.9)) == nil)
        #expect(policy.next(durable: 200, now: at(2)) == 199)
        #expect(policy.next(durable: 200, now: at(3)) == 199)
    }

    @Test func `a question is answered exactly, once it is durable`() {
        var policy = AckPolicy()
        _ = policy.next(durable: 100, now: at(1))
        policy.asked(at: 137)
        #expect(policy.next(durable: 136, now: at(1.1)) == nil)
        #expect(policy.next(durable: 137, now: at(1.2)) == 137)
        #expect(policy.next(durable: 137, now: at(1.3)) == nil)
        // The server never takes an ACK back, so neither do we.
        #expect(policy.next(durable: 137, now: at(2.2)) == 137)
        #expect(policy.next(durable: 151, now: at(3.2)) == 150)
    }

    @Test func `a question that waits does not stop the signs of life`() {
        var policy = AckPolicy()
        policy.asked(at: 500)
        #expect(policy.next(durable: 0, now: at(1)) == 0)
        #expect(policy.next(durable: 10, now: at(2)) == 9)
        #expect(policy.askedAt == 500)
    }
}
