import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// Transactions that are larger than may be held: archived all the same, with bounded memory.
@Suite struct ChangeTransactionTests {
    private static let limit = 2 << 20
    private static let eventBytes = 300_000

    private func use(_ version: String = "4.4.4") throws -> (use: StreamUse, events: [[UInt8]]) {
        let fixture = try MongoFixture("shop")
        let entries = try Array(fixture.oplog().prefix(100))
        let double = try MongoDouble(entries: entries, visible: 1)
        let end = try #require(BSONDocument(entries[99])["ts"]?.timestamp)
        let events = try fixture.changes().filter {
            try BSONDocument($0)["clusterTime"]?.timestamp ?? .zero <= end
        }
        double.tell(events)
        double.state.update { $0.batchBytes = 700_000 }
        return (
            try StreamUse(
                double, options: "mode=changeStream", transactionLimit: Self.limit), events
        )
    }

    private func write(_ use: StreamUse, _ count: Int) {
        use.double.transaction(count) { number in
            [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: Self.eventBytes)
        }
    }

    private func told(_ use: StreamUse) -> [[UInt8]] {
        use.double.state.read { $0.events.map(\.bytes) }
    }

    @Test func `a transaction above the limit comes in parts, and counts with its last`()
        async throws
    {
        try await offPool {
            let (use, _) = try use()
            try use.open()
            use.double.writeAll()
            try use.pullAll()
            let before = use.sink.position
            write(use, 40)
            let time = SystemTimeSource()
            try eventually("parts have come", seconds: 60) {
                _ = try use.stream.pull(
                    until: time.monotonic().advanced(bySeconds: 0.2), into: use.sink)
                #expect(use.sink.parts.isEmpty || use.sink.position == before)
                return use.sink.parts.count > 2
            }
            try use.pullAll()
            #expect(try use.events() == told(use))
            // Never more than the limit and one event.
            #expect(use.sink.parts.allSatisfy { $0 <= Self.limit + 2 * Self.eventBytes })
            let newest = use.double.state.read { $0.newest.ordinal }
            #expect(use.sink.position == newest)
            #expect(!use.sink.edges.contains { $0 > before && $0 < newest })
            // And it is the event that the next session has to find.
            try use.again()
            write(use, 3)
            try use.pullAll()
            #expect(try use.events() == told(use))
            use.stream.close()
        }
    }

    @Test func `one that fits is handed on whole`() async throws {
        try await offPool {
            let (use, _) = try use()
            try use.open()
            use.double.writeAll()
            write(use, 6)
            try use.pullAll()
            #expect(use.sink.parts.isEmpty)
            #expect(try use.events() == told(use))
            use.stream.close()
        }
    }

    @Test func `a cursor that dies amid the parts ends the session, and the next brings all of it`()
        async throws
    {
        try await offPool {
            let (use, _) = try use()
            try use.open()
            use.double.writeAll()
            try use.pullAll()
            write(use, 40)
            let time = SystemTimeSource()
            try eventually("a part has come", seconds: 60) {
                _ = try use.stream.pull(
                    until: time.monotonic().advanced(bySeconds: 0.2), into: use.sink)
                return !use.sink.parts.isEmpty
            }
            use.double.killCursors()
            let error = #expect(throws: TidemarkError.self) {
                for _ in 0..<9 {
                    _ = try use.stream.pull(
                        until: time.monotonic().advanced(bySeconds: 0.2), into: use.sink)
                }
            }
            #expect(error?.code == .sourceUnreachable)
            #expect(error?.message.contains("within a transaction") == true)
            try use.again()
            try use.pullAll()
            #expect(try use.events() == told(use))
            use.stream.close()
        }
    }

    @Test func `an event that was sent again amid a large transaction must be the same`() throws {
        let time = OpTime(seconds: 100, increment: 1)
        func event(_ number: Int32) -> [UInt8] {
            BSONDocument([
                ("_id", .document(BSONDocument([("_data", .string("token \(number)"))]))),
                ("operationType", .string("insert")), ("clusterTime", .timestamp(time)),
                ("fullDocument", .document(BSONDocument([("_id", .int32(number))]))),
            ]).bytes
        }
        var groups = ChangeGroups(
            behind: OpTime(seconds: 99, increment: 1), limit: 2 * event(1).count)
        for number in [Int32(1), 2] {
            let bytes = event(number)
            try groups.take(bytes.span, at: 0)
        }
        #expect(!groups.isPartDue)
        groups.restart()
        for number in [Int32(1), 7, 8] {
            let bytes = event(number)
            try groups.take(bytes.span, at: 0)
        }
        #expect(groups.isPartDue)
        let isOther: Bool
        do {
            _ = try groups.part()
            isOther = false
        } catch {
            isOther = true
        }
        #expect(isOther)
    }

    @Test(arguments: [false, true])
    func `a router is asked as patiently while a time is held as otherwise`(
        isRouter: Bool
    ) async throws {
        try await offPool {
            let (use, _) = try use()
            if isRouter { use.double.state.update(MongoDoubleState.makeRouter) }
            let waits = Monitor<[Int64]>([])
            use.double.state.update {
                $0.meanwhile["getMore"] = { _, request in
                    let wait = request["maxTimeMS"]?.integer ?? 0
                    waits.update { $0.append(wait) }
                }
            }
            try use.open()
            use.double.writeAll()
            write(use, 3)
            let time = SystemTimeSource()
            for _ in 0..<4 {
                _ = try use.stream.pull(
                    until: time.monotonic().advanced(bySeconds: 0.3), into: use.sink)
            }
            let asked = waits.read { $0 }
            #expect(asked.count >= 2 && asked.contains { $0 <= 10 } == !isRouter, "\(asked)")
            use.stream.close()
        }
    }
}
