import Model
import TestKit
import Testing

/// What the store in memory loses in a crash, and what not.
@Suite struct MemoryStoreTests {
    @Test(arguments: 0..<100)
    func `after a crash what was synced is there and the tail is anything`(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let store = MemoryStore()
        let key = ObjectKey("s/A.partial")
        let file = try store.openAppendable(key)
        let synced = random.bytes(Int.random(in: 0...5000, using: &random))
        try file.write(at: 0, synced.span.bytes)
        try file.sync()
        let tail = random.bytes(Int.random(in: 0...5000, using: &random))
        try file.write(at: UInt64(synced.count), tail.span.bytes)
        store.crash(&random)
        let found = try #require(store.bytes(key))
        #expect(found.starts(with: synced), "seed \(seed)")
        #expect(found.count <= synced.count + tail.count, "seed \(seed)")
        for (index, byte) in found.enumerated().dropFirst(synced.count) {
            #expect(byte == 0 || byte == tail[index - synced.count], "seed \(seed) at \(index)")
        }
    }

    @Test func `some crash keeps a later sector and loses an earlier one`() throws {
        var random = SeededRandom(seed: 4)
        let isTorn = try (0..<200).contains { _ in
            let store = MemoryStore()
            let file = try store.openAppendable(ObjectKey("p"))
            try file.write(at: 0, [UInt8](repeating: 1, count: 4096).span.bytes)
            store.crash(&random)
            let bytes = store.bytes(ObjectKey("p")) ?? []
            guard let hole = bytes.firstIndex(of: 0) else { return false }
            return bytes[hole...].contains(1)
        }
        #expect(isTorn)
    }

    @Test func `the same seed loses the same`() throws {
        func outcome() throws -> [UInt8]? {
            var random = SeededRandom(seed: 5)
            let store = MemoryStore()
            let file = try store.openAppendable(ObjectKey("p"))
            try file.write(at: 0, random.bytes(20_000).span.bytes)
            store.crash(&random)
            return store.bytes(ObjectKey("p"))
        }
        #expect(try outcome() == outcome())
    }

    @Test func `a crash ends handles and frees locks, and finished objects survive`() throws {
        var random = SeededRandom(seed: 6)
        let store = MemoryStore()
        let file = try store.openAppendable(ObjectKey("p"))
        let writer = try store.create(ObjectKey("w"))
        try writer.write([1])
        try store.put(ObjectKey("k"), [1, 2], .create)
        store.crash(&random)
        #expect(throws: TidemarkError.self) { try file.sync() }
        #expect(throws: TidemarkError.self) { try writer.finish() }
        #expect(store.bytes(ObjectKey("k")) == [1, 2])
        #expect(store.bytes(ObjectKey("w")) == nil)
        let again = try store.openAppendable(ObjectKey("p"))
        file.close()
        #expect(throws: TidemarkError.self) { _ = try store.openAppendable(ObjectKey("p")) }
        again.close()
    }

    @Test func `damage can be done to an object`() throws {
        let store = MemoryStore()
        try store.put(ObjectKey("k"), [1, 2], .create)
        store.corrupt(ObjectKey("k")) { $0[1] ^= 0x80 }
        #expect(store.bytes(ObjectKey("k")) == [1, 0x82])
        #expect(store.keys == [ObjectKey("k")])
    }
}
