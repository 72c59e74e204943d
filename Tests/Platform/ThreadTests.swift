import Glibc
import Model
import Platform
import TestKit
import Testing

@Suite struct ThreadTests {
    @Test func `a thread hands over its result, to threads and to tasks, early and late`()
        async throws
    {
        let gate = Monitor(false)
        let thread = DedicatedThread("worker") { () throws(TidemarkError) in
            let _: Bool? = gate.wait { $0 ? true : nil }
            return 42
        }
        async let early = thread.value()
        try await offPool {
            let tooEarly = try thread.join(seconds: 0.01)
            #expect(tooEarly == nil)
            gate.update { $0 = true }
            let result = try thread.join()
            #expect(result == 42)
        }
        #expect(try await early == 42)
        #expect(try await thread.value() == 42)
    }

    @Test func `a thread's error reaches everybody who waits`() async throws {
        let thread = DedicatedThread("failing") { () throws(TidemarkError) -> Int in
            throw TidemarkError(.cancelled, "enough")
        }
        for _ in 0..<2 {
            let error = await #expect(throws: TidemarkError.self) { try await thread.value() }
            #expect(error?.code == .cancelled)
        }
    }

    @Test func `a monitor excludes and wakes`() async throws {
        let count = Monitor(0)
        let threads = (0..<8).map { _ in
            DedicatedThread("adder") { () throws(TidemarkError) in
                for _ in 0..<1000 { count.update { $0 += 1 } }
            }
        }
        let reached: Bool? = try await offPool {
            count.wait(seconds: 30) { $0 == 8000 ? true : nil }
        }
        #expect(reached == true)
        for thread in threads { try await thread.value() }
    }

    @Test func `waiting at a monitor ends when the time is over`() async throws {
        try await offPool {
            let clock = SystemTimeSource()
            let start = clock.monotonic()
            let result: Bool? = Monitor(0).wait(seconds: 0.05) { _ in nil }
            #expect(result == nil)
            let waited = clock.monotonic().seconds(since: start)
            #expect(waited >= 0.049 && waited < 10, "\(waited)")
            let negative: Bool? = Monitor(0).wait(seconds: 0) { _ in nil }
            #expect(negative == nil)
        }
    }

    @Test func `a wake signal is up until it is taken down`() async throws {
        let signal = try WakeSignal()
        #expect(!signal.clear())
        signal.raise()
        signal.raise()
        var polled = pollfd(fd: signal.descriptor, events: Int16(POLLIN), revents: 0)
        #expect(poll(&polled, 1, 0) == 1)
        #expect(signal.clear())
        #expect(!signal.clear())
        #expect(poll(&polled, 1, 0) == 0)
    }

    @Test func `a wake signal ends the poll of another thread`() async throws {
        let signal = try WakeSignal()
        let poller = DedicatedThread("poller") { () throws(TidemarkError) -> Int32 in
            var polled = pollfd(fd: signal.descriptor, events: Int16(POLLIN), revents: 0)
            return poll(&polled, 1, 30_000)
        }
        signal.raise()
        #expect(try await poller.value() == 1)
    }

    @Test(arguments: 0..<20)
    func `waiting times grow within their bounds and start anew after a success`(
        _ seed: UInt64
    ) {
        var random = SeededRandom(seed: seed)
        var backoff = Backoff(first: 0.5, limit: 10)
        for round in 0..<2 {
            for attempt in 0..<100 {
                let ceiling = min(10, 0.5 * Double(UInt64(1) << UInt64(min(attempt, 20))))
                let wait = backoff.next(using: &random)
                #expect(wait >= ceiling / 2 && wait <= ceiling, "seed \(seed) \(round) \(attempt)")
            }
            backoff.reset()
        }
    }

    @Test func `the clocks run forward and simulated ones stand`() throws {
        let clock = SystemTimeSource()
        let first = clock.monotonic()
        #expect(clock.monotonic() >= first)
        #expect(clock.wall() > CommitTime("2020-01-01T00:00:00Z")!)
        let time = SimulatedTime()
        #expect(time.wall() == CommitTime("2026-11-22T12:00:00Z"))
        let start = time.monotonic()
        time.advance(1.5)
        time.stepWall(-60)
        #expect(time.monotonic().seconds(since: start) == 1.5)
        #expect(time.wall() == CommitTime("2026-11-22T11:59:01.5Z"))
    }
}
