import Model
import TestKit
import Testing

@testable import Mongo

/// Large deletions, as `find` lists them.
@Suite struct DeletionScanTests {
    private static func write(_ op: String, _ id: Int, ns: String) -> BSONDocument {
        BSONDocument([
            ("op", .string(op)), ("ns", .string(ns)),
            ("o", .document(BSONDocument([("_id", .int32(Int32(id)))]))),
        ])
    }

    private static func entry(
        _ ts: OpTime, _ operation: BSONDocument, more: [(String, BSONValue)] = []
    ) -> [UInt8] {
        BSONDocument(
            operation.fields.map { ($0.name, $0.value) } + [
                ("ts", .timestamp(ts)), ("t", .int64(1)), ("v", .int64(2)),
                ("wall", .date(milliseconds: Int64(ts.seconds) * 1000)),
            ] + more
        ).bytes
    }

    private static func applyOps(
        _ ts: OpTime, _ operations: [BSONDocument], _ more: [(String, BSONValue)] = [],
        previous: OpTime? = nil
    ) -> [UInt8] {
        let o = [("applyOps", BSONValue.array(operations.map { .document($0) }))] + more
        return command(ts, o, previous: previous)
    }

    private static func command(
        _ ts: OpTime, _ o: [(String, BSONValue)], previous: OpTime? = nil
    ) -> [UInt8] {
        let operation = BSONDocument([
            ("op", .string("c")), ("ns", .string("admin.$cmd")), ("o", .document(BSONDocument(o))),
        ])
        guard let previous else { return entry(ts, operation) }
        return entry(
            ts, operation,
            more: [
                ("lsid", .document(BSONDocument([("id", .int32(1))]))), ("txnNumber", .int64(4)),
                ("prevOpTime", .document(BSONDocument([("ts", .timestamp(previous))]))),
            ])
    }

    private func found(_ entries: [[UInt8]]) throws -> [DestructiveEvent] {
        let scan = OplogEventScan(TimelineID("rs"))
        var found: [DestructiveEvent] = []
        let all = entries.flatMap { $0 }
        try scan.take(all.span.bytes, at: 0) {
            (event) throws(TidemarkError) in found.append(event)
        }
        return found
    }

    @Test func `deletions are counted through what others write, from the first one on`() throws {
        var entries: [[UInt8]] = []
        var increment: UInt32 = 0
        let next = { () -> OpTime in
            increment += 1
            return OpTime(seconds: 100 + increment / 1500, increment: increment)
        }
        for number in 0..<20 {
            entries.append(Self.entry(next(), Self.write("i", number, ns: "d.o")))
        }
        let last = try #require(entries.last)
        let first = try EntryHead(last.span).ts
        for number in 0..<6_000 {
            entries.append(Self.entry(next(), Self.write("d", number, ns: "d.c")))
            for other in 0..<(number % 3) {
                entries.append(Self.entry(next(), Self.write("i", number * 3 + other, ns: "d.o")))
            }
            // Another collection's few are no event of their own.
            if number % 500 == 0 {
                entries.append(Self.entry(next(), Self.write("d", number, ns: "d.few")))
            }
        }
        let events = try found(entries)
        #expect(events.count == 1, "\(events)")
        #expect(events.first?.before.ordinal == first.ordinal)
        #expect(events.first?.place == "d.c")
        #expect(events.first?.action == "deletion of 100 documents or more")
    }

    @Test func `a pause ends a run, and what is slow never becomes one`() throws {
        // Two of sixty with six seconds between.
        let apart = (0..<120).map { number in
            let seconds: UInt32 = number < 60 ? 100 : 106
            return Self.entry(
                OpTime(seconds: seconds, increment: UInt32(number + 1)),
                Self.write("d", number, ns: "d.c"))
        }
        #expect(try found(apart).isEmpty)
        // Two a second, for ten minutes: everyday work.
        let slow = (0..<1200).map { number in
            Self.entry(
                OpTime(seconds: 100 + UInt32(number) / 2, increment: UInt32(number % 2 + 1)),
                Self.write("d", number, ns: "d.c"))
        }
        #expect(try found(slow).isEmpty)
        // And then many at once.
        let many = (0..<300).map { number in
            Self.entry(
                OpTime(seconds: 701, increment: UInt32(number + 1)),
                Self.write("d", number, ns: "d.c"))
        }
        let events = try found(slow + many)
        #expect(events.count == 1)
        let before = try #require(events.first).before.ordinal
        #expect(before >= OpTime(seconds: 690, increment: 0).ordinal)
        #expect(before <= OpTime(seconds: 701, increment: 0).ordinal)
    }

    @Test func `what a transaction deletes counts where it commits`() throws {
        let time = { (increment: UInt32) in OpTime(seconds: 100, increment: increment) }
        let many = (0..<150).map { Self.write("d", $0, ns: "d.c") }
        let other = Self.entry(time(8), Self.write("i", 1, ns: "d.o"))
        let plain = try found([
            Self.entry(time(1), Self.write("i", 0, ns: "d.o")), Self.applyOps(time(2), many),
        ])
        #expect(plain.map(\.before.ordinal) == [time(1).ordinal])
        let whole = try found([other, Self.applyOps(time(9), many, previous: .zero)])
        #expect(whole.map(\.before.ordinal) == [time(8).ordinal])
        // A chain: nothing is deleted before its last entry.
        let halves = [
            Self.applyOps(
                time(5), Array(many.prefix(75)), [("partialTxn", .bool(true))], previous: .zero),
            other,
            Self.applyOps(
                time(9), Array(many.suffix(75)), [("count", .int64(150))], previous: time(5)),
        ]
        #expect(try found(halves).map(\.before.ordinal) == [time(8).ordinal])
        let prepared = Self.applyOps(time(5), many, [("prepare", .bool(true))], previous: .zero)
        #expect(try found([prepared, other]).isEmpty)
        let aborted = Self.command(time(9), [("abortTransaction", .int32(1))], previous: time(5))
        #expect(try found([prepared, other, aborted]).isEmpty)
        let commit = Self.command(
            time(9), [("commitTransaction", .int32(1)), ("commitTimestamp", .timestamp(time(7)))],
            previous: time(5))
        let committed = try found([prepared, other, commit])
        #expect(committed.map(\.before.ordinal) == [time(8).ordinal])
        #expect(committed.first?.place == "d.c")
    }

    @Test func `what is kept of deletions is bounded`() {
        var runs = DeletionRuns()
        for number in 0..<20_000 {
            let namespace = Namespace("d", "c\(number)")
            let ts = OpTime(seconds: 100, increment: UInt32(number + 1))
            #expect(runs.take(1, from: namespace, before: 1, ts, nil) == nil)
        }
        #expect(runs.collections > 0 && runs.collections <= DeletionRuns.limit)
    }

    @Test func `a recorded rename over another collection is listed, with the place before it`()
        async throws
    {
        try await offPool {
            let entries = try MongoFixture("shop").oplog()
            let events = try found(entries).filter { $0.action.hasPrefix("rename of ") }
            #expect(events.map(\.place) == ["shop.victim", "shop.checked"])
            #expect(events.first?.action == "rename of shop.kept over it")
            for event in events {
                let place = try #require(
                    try entries.firstIndex {
                        try EntryHead($0.span).ts.ordinal > event.before.ordinal
                    })
                guard
                    case .command(_, .rename(_, let to, true, _)) =
                        try OplogEntry(entries[place]).change
                else {
                    Issue.record("the entry behind the place is no such rename")
                    continue
                }
                #expect(to.description == event.place)
            }
        }
    }
}
