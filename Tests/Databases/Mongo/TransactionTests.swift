import Model
import Testing

@testable import Mongo

@Suite struct TransactionTests {
    private let place = BSONValue.string("db.c")
    private let session = BSONValue.document(BSONDocument([("id", .int32(1))]))

    private func insert(_ id: Int32) -> BSONValue {
        .document(
            BSONDocument([
                ("op", .string("i")), ("ns", place),
                ("o", .document(BSONDocument([("_id", .int32(id))]))),
            ]))
    }

    private func remove(_ id: Int32) -> BSONValue {
        .document(
            BSONDocument([
                ("op", .string("d")), ("ns", place),
                ("o", .document(BSONDocument([("_id", .int32(id))]))),
            ]))
    }

    private func entry(
        _ ts: UInt32, _ o: [(String, BSONValue)], previous: UInt32 = 0, number: Int64? = 1,
        session: BSONValue? = nil, more: [(String, BSONValue)] = []
    ) -> [UInt8] {
        var fields: [(String, BSONValue)] = [
            ("op", .string("c")), ("ns", .string("admin.$cmd")), ("o", .document(BSONDocument(o))),
            ("ts", .timestamp(OpTime(seconds: ts, increment: 1))), ("t", .int64(1)),
        ]
        if let number {
            let before = OpTime(seconds: previous, increment: previous == 0 ? 0 : 1)
            fields += [
                ("lsid", session ?? self.session), ("txnNumber", .int64(number)),
                ("prevOpTime", .document(BSONDocument([("ts", .timestamp(before))]))),
            ]
        }
        return BSONDocument(fields + more).bytes
    }

    private func replay(
        _ entries: [[UInt8]], after: UInt32 = 0, upTo: UInt32? = nil,
        limit: Int = TransactionAssembler.limit
    ) throws -> (found: Set<Int64>, undecided: Int) {
        let target = MemoryDatabase()
        var catalog = ReplayCatalog()
        let namespace = Namespace("db", "c")
        catalog.add(namespace, .init(uuid: nil, options: .empty, indexes: []))
        try target.create(namespace, .empty)
        let replay = OplogReplay(
            target, catalog: catalog,
            rules: ReplayRules(
                after: OpTime(seconds: after, increment: 1),
                upTo: upTo.map { OpTime(seconds: $0, increment: 1) }),
            transactions: TransactionAssembler(limit: limit))
        for entry in entries { try replay.take(entry) }
        try replay.finish()
        let found = target.collections[namespace]?.documents.compactMap { $0["_id"]?.integer } ?? []
        return (Set(found), replay.report.undecided)
    }

    @Test func `a chain becomes true with its last entry, and not before`() throws {
        let chain = [
            entry(5, [("applyOps", .array([insert(1)])), ("partialTxn", .bool(true))]),
            entry(
                6, [("applyOps", .array([insert(2)])), ("partialTxn", .bool(true))], previous: 5),
            entry(7, [("applyOps", .array([insert(3)])), ("count", .int64(3))], previous: 6),
        ]
        #expect(try replay(chain).found == [1, 2, 3])
        let cut = try replay(chain, upTo: 6)
        #expect(cut.found.isEmpty)
        #expect(cut.undecided == 1)
        // Begun before the base, committed after it.
        #expect(try replay(chain, after: 6).found == [1, 2, 3])
        #expect(try replay(chain, after: 7).found.isEmpty)
    }

    @Test(arguments: [0, 300, 2000, Int.max])
    func `a transaction of many entries comes whole and in order, however little is held`(
        limit: Int
    ) throws {
        let count: UInt32 = 200
        // The last write of each document is what has to be there in the end.
        var chain = (0..<count).map { place in
            entry(
                5 + place,
                [
                    (
                        "applyOps",
                        .array([
                            insert(Int32(place)), place > 0 ? remove(Int32(place) - 1) : insert(0),
                        ])
                    ), ("partialTxn", .bool(true)),
                ], previous: place == 0 ? 0 : 4 + place)
        }
        let end = 5 + count
        chain.append(
            entry(
                end,
                [("applyOps", .array([insert(9000)])), ("count", .int64(Int64(count) * 2 + 1))],
                previous: end - 1))
        #expect(try replay(chain, limit: limit).found == [Int64(count) - 1, 9000])
        #expect(try replay(Array(chain.dropLast()), limit: limit).found.isEmpty)
    }

    @Test func `what is held in memory is bounded, over all transactions`() throws {
        var transactions = TransactionAssembler(limit: 1000)
        var bytes = 0
        for number in 0..<50 as Range<UInt32> {
            let session = BSONValue.document(BSONDocument([("id", .int32(Int32(number % 7)))]))
            let bytesOfEntry = entry(
                5 + number, [("applyOps", .array([insert(1)])), ("partialTxn", .bool(true))],
                previous: number < 7 ? 0 : 5 + number - 7, session: session)
            let decided = try transactions.take(
                OplogEntry(BSONDocument(bytesOfEntry)), isBefore: false)
            #expect(decided?.count == 0)
            bytes = max(bytes, transactions.bytes)
        }
        #expect(transactions.open == 7)
        #expect(bytes > 0 && bytes <= 1000)
    }

    @Test func `a chain without its beginning is refused`() throws {
        let end = entry(
            7, [("applyOps", .array([insert(3)])), ("count", .int64(3))], previous: 6)
        #expect(throws: TidemarkError.self) { _ = try replay([end]) }
        #expect(try replay([end], after: 7).found.isEmpty)
    }

    @Test func `a prepared transaction waits for its decision`() throws {
        let prepared = entry(
            5, [("applyOps", .array([insert(1)])), ("prepare", .bool(true))])
        let commit = entry(8, [("commitTransaction", .int32(1))], previous: 5)
        let abort = entry(8, [("abortTransaction", .int32(1))], previous: 5)
        #expect(try replay([prepared, commit]).found == [1])
        #expect(try replay([prepared, abort]).found.isEmpty)
        #expect(try replay([prepared]).undecided == 1)
        #expect(throws: TidemarkError.self) { _ = try replay([commit]) }
    }

    @Test func `a prepared transaction of several entries counts from its commit on`() throws {
        let chain = [
            entry(5, [("applyOps", .array([insert(1)])), ("partialTxn", .bool(true))]),
            entry(
                6,
                [
                    ("applyOps", .array([insert(2)])), ("prepare", .bool(true)),
                    ("count", .int64(2)),
                ], previous: 5),
        ]
        let other = entry(7, [("applyOps", .array([insert(9)]))], number: nil)
        let time = BSONValue.timestamp(OpTime(seconds: 7, increment: 1))
        let commit = entry(
            8,
            [
                ("commitTransaction", .int32(1)), ("commitTimestamp", time),
                ("prepared", .bool(true)),
            ], previous: 6)
        let abort = entry(8, [("abortTransaction", .int32(1))], previous: 6)
        #expect(try replay(chain + [other, commit]).found == [1, 2, 9])
        let cut = try replay(chain + [other, commit], upTo: 7)
        #expect(cut.found == [9] && cut.undecided == 1)
        let aborted = try replay(chain + [other, abort])
        #expect(aborted.found == [9] && aborted.undecided == 0)
        #expect(try replay(chain + [other, commit], after: 6).found == [1, 2, 9])
        // Of which the first entry is not here nothing is taken.
        let error = #expect(throws: TidemarkError.self) {
            _ = try replay([chain[1], other, commit])
        }
        #expect(error?.code == .archiveIncomplete)
        #expect(try replay([chain[1], other, abort]).found == [9])
        // Aborted without a word, and begun anew under its number.
        let anew = [chain[0], entry(6, [("applyOps", .array([insert(3)]))])]
        #expect(try replay(anew).found == [3])
    }

    @Test func `a chain ends unheard when its session goes on`() throws {
        let entries = [
            entry(5, [("applyOps", .array([insert(1)])), ("partialTxn", .bool(true))]),
            entry(6, [("applyOps", .array([insert(2)]))], number: 2),
        ]
        let result = try replay(entries)
        #expect(result.found == [2])
        #expect(result.undecided == 0)
    }

    @Test func `operations without a transaction are done at once`() throws {
        let vectored = entry(
            5, [("applyOps", .array([insert(1), insert(2)]))],
            more: [("multiOpType", .int32(1))])
        let plain = entry(6, [("applyOps", .array([insert(3)]))], number: nil)
        #expect(try replay([vectored, plain]).found == [1, 2, 3])
    }

    @Test(arguments: ["createTheUnheardOf", "importCollection"])
    func `a command that cannot be replayed stops everything`(_ name: String) {
        let entry = entry(5, [(name, .string("c"))], number: nil)
        let error = #expect(throws: TidemarkError.self) { _ = try replay([entry]) }
        #expect(error?.message.contains(name) == true)
        #expect(error?.remedy.contains("5.1") == true)
    }
}
