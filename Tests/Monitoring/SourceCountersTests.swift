import Testing

@testable import Monitoring

struct SourceCountersTests {
    @Test func `what is added is there, by bucket and in sum`() {
        let counters = SourceCounters()
        counters.add(received: 10, archived: 4)
        counters.add(received: 5, archived: 5)
        counters.sealed(stored: 7)
        counters.connected()
        counters.failed()
        counters.foundGap()
        counters.flushed(seconds: 0.0005)
        counters.flushed(seconds: 0.3)
        counters.flushed(seconds: 99)
        counters.flushed(seconds: -1)
        let values = counters.values
        #expect(values.receivedBytes == 15)
        #expect(values.archivedBytes == 9)
        #expect((values.segments, values.storedBytes) == (1, 7))
        #expect((values.connects, values.failures, values.gaps) == (1, 1, 1))
        #expect(values.flushes.reduce(0, +) == 4)
        #expect(values.flushes[0] == 2)
        #expect(values.flushes[9] == 1)
        #expect(values.flushes.last == 1)
        #expect(abs(values.flushSum - 99.3005) < 1e-6)
    }
}
