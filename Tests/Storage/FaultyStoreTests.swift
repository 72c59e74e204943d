import Model
import Platform
import TestKit
import Testing

@Suite struct FaultyStoreTests {
    private let memory = MemoryStore()
    private let key = ObjectKey("k")
    private let away = TidemarkError(.repositoryUnreachable, "away")

    @Test func `faults come in order, as often as asked, after those that go well`() throws {
        let store = FaultyStore(memory)
        store.fail(.put, .error(away), times: 2, skipping: 1)
        try store.put(key, [1], .replace)
        for _ in 0..<2 {
            let error = #expect(throws: TidemarkError.self) { try store.put(key, [2], .replace) }
            #expect(error?.message == "away")
        }
        #expect(memory.bytes(key) == [1])
        try store.put(key, [3], .replace)
        #expect(memory.bytes(key) == [3])
        #expect(store.count(.put) == 4)
        #expect(store.count(.list) == 0)
    }

    @Test func `an answer may be lost after the work was done`() throws {
        let store = FaultyStore(memory)
        store.fail(.put, .lateError(away))
        #expect(throws: TidemarkError.self) { try store.put(key, [1], .create) }
        #expect(memory.bytes(key) == [1])
        store.fail(.finish, .lateError(away))
        let writer = try store.create(ObjectKey("w"))
        try writer.write([1, 2])
        #expect(throws: TidemarkError.self) { try writer.finish() }
        #expect(memory.bytes(ObjectKey("w")) == [1, 2])
    }

    @Test func `a write may be torn`() throws {
        let store = FaultyStore(memory)
        let file = try #require(store.appending).openAppendable(key)
        store.fail(.append, .torn(2, away))
        #expect(throws: TidemarkError.self) {
            try file.write(at: 0, ([1, 2, 3] as [UInt8]).span.bytes)
        }
        #expect(memory.bytes(key) == [1, 2])
        let writer = try store.create(ObjectKey("w"))
        store.fail(.write, .torn(1, away))
        #expect(throws: TidemarkError.self) { try writer.write([7, 8]) }
        try writer.finish()
        #expect(memory.bytes(ObjectKey("w")) == [7])
    }

    @Test func `a call may hang until it is released`() async throws {
        let store = FaultyStore(memory)
        let key = key
        store.fail(.put, .hang)
        let thread = DedicatedThread("hanging") { () throws(TidemarkError) -> Bool in
            try store.put(key, [1], .create)
            return true
        }
        try await offPool {
            #expect(store.waitUntilHanging())
            let early = try thread.join(seconds: 0.02)
            #expect(early == nil)
            store.release()
            let late = try thread.join(seconds: 30)
            #expect(late == true)
        }
        #expect(memory.bytes(key) == [1])
    }

    @Test(arguments: FaultyStore.Call.allCases)
    func `every call can fail`(_ call: FaultyStore.Call) throws {
        let store = FaultyStore(memory)
        try store.put(key, [1], .create)
        let file = try #require(store.appending).openAppendable(ObjectKey("p"))
        let reader = try store.open(key, at: 0)
        let writer = try store.create(ObjectKey("w"))
        store.fail(call, away)
        #expect(throws: TidemarkError.self) {
            switch call {
            case .size: _ = try store.size(key)
            case .open: _ = try store.open(key, at: 0)
            case .put: try store.put(key, [1], .create)
            case .create: _ = try store.create(key)
            case .list: _ = try store.list("")
            case .delete: try store.delete(key)
            case .sweep: try store.sweep("", olderThan: 0)
            case .openAppendable: _ = try store.appending?.openAppendable(ObjectKey("q"))
            case .read: _ = try reader.read(1)
            case .write: try writer.write([1])
            case .finish: try writer.finish()
            case .append: try file.write(at: 0, ([1] as [UInt8]).span.bytes)
            case .sync: try file.sync()
            case .truncate: try file.truncate(0)
            case .seal: try file.seal(as: ObjectKey("q"))
            case .discard: try file.discard()
            case .readBack: _ = try file.read(at: 0, 1)
            }
        }
        #expect(store.count(call) >= 1)
    }

    @Test func `healing drops what has not happened`() throws {
        let store = FaultyStore(memory)
        store.fail(.list, .error(away), times: 10)
        store.heal()
        #expect(try store.list("").isEmpty)
    }
}
