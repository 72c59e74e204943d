import Model
import Platform
import Storage
import TestKit
import Testing

@Suite struct DecoratorTests {
    @Test(arguments: ObjectStoreContract.checks)
    func `the decorators keep the contract`(_ check: ObjectStoreContract) async throws {
        try await offPool {
            try check.run(MeteredStore(RetryingStore(MemoryStore()) { _ in true }))
        }
    }

    private let key = ObjectKey("k")
    private let away = TidemarkError(.repositoryUnreachable, "away")

    @Test func `what may pass is tried again after growing waits, a bounded number of times`()
        throws
    {
        let faulty = FaultyStore(MemoryStore())
        let waits = Monitor<[Double]>([])
        let store = RetryingStore(
            faulty, attempts: 4, backoff: Backoff(first: 1, limit: 100),
            random: SeededRandom(seed: 1)
        ) { seconds in
            waits.update { $0.append(seconds) }
            return true
        }
        faulty.fail(.put, away, times: 3)
        try store.put(key, [1], .create)
        #expect(faulty.count(.put) == 4)
        let waited = waits.read { $0 }
        #expect(waited.count == 3)
        for (wait, ceiling) in zip(waited, [1.0, 2, 4]) {
            #expect(wait >= ceiling / 2 && wait <= ceiling)
        }
        faulty.fail(.list, away, times: 4)
        #expect(throws: TidemarkError.self) { try store.list("") }
        #expect(faulty.count(.list) == 4)
    }

    @Test func `a lost answer to a creation is found out by trying again`() throws {
        let faulty = FaultyStore(MemoryStore())
        let store = RetryingStore(faulty) { _ in true }
        faulty.fail(.put, .lateError(away))
        try store.put(key, [1], .create)
        #expect(faulty.count(.put) == 2)
    }

    @Test func `what will not pass is not tried again`() throws {
        let faulty = FaultyStore(MemoryStore())
        let store = RetryingStore(faulty) { _ in true }
        faulty.fail(.put, TidemarkError(.repositoryReadOnly, "no"))
        #expect(throws: TidemarkError.self) { try store.put(key, [1], .create) }
        #expect(faulty.count(.put) == 1)
    }

    @Test func `when the program stops, retrying stops`() throws {
        let faulty = FaultyStore(MemoryStore())
        let store = RetryingStore(faulty) { _ in false }
        faulty.fail(.size, away, times: 10)
        #expect(throws: TidemarkError.self) { try store.size(key) }
        #expect(faulty.count(.size) == 1)
    }

    @Test func `calls, bytes, failures and times are counted`() throws {
        let faulty = FaultyStore(MemoryStore())
        let store = MeteredStore(faulty, time: SteppingTime())
        try store.put(key, [1, 2, 3], .create)
        faulty.fail(.put, away)
        #expect(throws: TidemarkError.self) { try store.put(key, [1, 2, 3], .create) }
        let puts = store.metrics[.put]
        #expect(puts.count == 2 && puts.failures == 1 && puts.bytes == 3)
        #expect(puts.seconds == 2 && puts.longestSeconds == 1)
        #expect(throws: TidemarkError.self) { _ = try store.open(ObjectKey("none"), at: 0) }
        #expect(store.metrics[.inspect].failures == 0)
        let reader = try store.open(key, at: 1)
        #expect(try reader.read(10) == [2, 3])
        #expect(store.metrics[.read].bytes == 2)
        let file = try #require(store.appending).openAppendable(ObjectKey("p"))
        try file.write(at: 0, ([1, 2] as [UInt8]).span.bytes)
        try file.sync()
        try file.seal(as: ObjectKey("q"))
        #expect(store.metrics[.append].bytes == 2)
        #expect(store.metrics[.sync].count == 1)
        #expect(store.metrics[.seal].count == 1)
        #expect(store.metrics[.delete].count == 0)
    }

    /// A clock that goes on by a second whenever it is read.
    private final class SteppingTime: TimeSource {
        private let time = SimulatedTime()

        func monotonic() -> MonotonicTime {
            time.advance(1)
            return time.monotonic()
        }

        func wall() -> CommitTime { time.wall() }
    }
}
