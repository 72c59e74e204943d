import Model
import TestKit
import Testing

@testable import Mongo

/// The recorded change stream of a real 4.4, replayed onto the recorded base.
@Suite struct ChangeReplayTests {
    @Test func `recorded events give the recorded end of a base that writers changed`()
        async throws
    {
        try await offPool {
            let fixture = try MongoFixture("fuzzy")
            let cut = try #require(fixture.cuts().last)
            let target = try replayed(fixture, to: cut.ts, fuzzyUntil: fixture.end)
            for (name, facts) in cut.collections where name.hasPrefix("fuzz.") {
                let namespace = try #require(Namespace(name))
                let collection = try #require(target.collections[namespace])
                let wanted = facts["sha256_raw_sorted_by_id"]?.string
                #expect(collection.sortedHash == wanted, "\(name)")
            }
        }
    }

    /// The others were made or changed by what 4.4 does not tell: see `ChangeTimeline.omissions`.
    @Test func `recorded updates of every kind give the recorded documents`() async throws {
        try await offPool {
            let fixture = try MongoFixture("shop")
            var compared = 0
            for cut in try fixture.cuts() {
                let target = try replayed(fixture, to: cut.ts, fuzzyUntil: nil)
                for name in ["shop.orders", "shop.txn_a", "shop.txn_b", "shop.fs.files"] {
                    guard let facts = cut.collections[name] else { continue }
                    let collection = target.collections[try #require(Namespace(name))]
                    let wanted = facts["sha256_raw_sorted_by_id"]?.string
                    if facts["count"]?.integer == 0, collection == nil { continue }
                    #expect(collection?.sortedHash == wanted, "\(name) at \(cut.name)")
                    compared += 1
                }
            }
            #expect(compared > 3)
        }
    }

    @Test func `what a stream of events does not carry is told by the server's version`() {
        let replayer = MongoReplayer()
        let events = TimelineID("a.changes")
        let old = replayer.omissions(of: ServerFacts(identity: "a", version: "4.4.4"), on: events)
        let new = replayer.omissions(of: ServerFacts(identity: "a", version: "7.0.2"), on: events)
        #expect(new.contains { $0.contains("users and roles") })
        #expect(Array(old.prefix(new.count)) == new)
        #expect(old.contains { $0.contains("createIndexes") })
        #expect(old.contains { $0.contains("times to the second") })
        let oplog = replayer.omissions(
            of: ServerFacts(identity: "a", version: "4.4.4"), on: TimelineID("a"))
        #expect(oplog.isEmpty)
    }

    /// An insert of each time, and a deletion of two that share one: a transaction.
    private func events() -> [[UInt8]] {
        let told: [(String, UInt32, Int64, Int32)] = [
            ("insert", 5, 50_000, 1), ("insert", 8, 51_000, 2), ("insert", 12, 52_000, 3),
            ("delete", 20, 53_000, 1), ("delete", 20, 53_000, 2), ("drop", 30, 54_000, 0),
        ]
        return told.map { type, increment, wall, id in
            let key = BSONDocument([("_id", .int32(id))])
            return BSONDocument([
                ("operationType", .string(type)),
                ("clusterTime", .timestamp(OpTime(seconds: 9, increment: increment))),
                ("wallTime", .date(milliseconds: wall)), ("fullDocument", .document(key)),
                ("ns", .document(BSONDocument([("db", .string("d")), ("coll", .string("c"))]))),
                ("documentKey", .document(key)),
            ]).bytes
        }
    }

    private func place(_ increment: UInt32) -> UInt64 {
        OpTime(seconds: 9, increment: increment).ordinal
    }

    @Test func `a stop lies right before the next event, or where it was asked for`() throws {
        let bytes = events().flatMap { $0 }
        let cases: [(StopQuestion, last: UInt32, end: UInt32)] = [
            (.position(place(8)), 8, 8), (.position(place(10)), 8, 10),
            (.before(place(12)), 12, 12), (.position(place(3)), 2, 3),
            (.position(place(2)), 2, 2), (.time(CommitTime(milliseconds: 51_500)), 8, 11),
            (.time(CommitTime(milliseconds: 53_000)), 20, 29),
            (.time(CommitTime(milliseconds: 40_000)), 2, 4),
        ]
        for (question, last, end) in cases {
            let search = OplogStopSearch(question, isOfEvents: true)
            let answer = try search.take(bytes.span.bytes, at: place(2)) ?? search.finish()
            guard case .stop(let stop) = answer else {
                Issue.record("no stop for \(question): \(answer)")
                continue
            }
            #expect(stop.last == place(last) && stop.end == place(end), "\(question): \(stop)")
        }
    }

    @Test func `before an event is before all that share its time`() throws {
        let scan = OplogEventScan(TimelineID("a.changes"))
        var many: [[UInt8]] = []
        let transaction = [(UInt32(5), 1)] + (0..<200).map { (UInt32(20), $0) }
        for (increment, id) in transaction {
            let key = BSONDocument([("_id", .int32(Int32(id)))])
            many.append(
                BSONDocument([
                    ("operationType", .string(increment == 5 ? "insert" : "delete")),
                    ("clusterTime", .timestamp(OpTime(seconds: 9, increment: increment))),
                    ("fullDocument", .document(key)), ("documentKey", .document(key)),
                    (
                        "ns",
                        .document(BSONDocument([("db", .string("d")), ("coll", .string("c"))]))
                    ),
                ]).bytes)
        }
        var found: [DestructiveEvent] = []
        for bytes in [many.flatMap { $0 }, events().suffix(1).flatMap { $0 }] {
            try scan.take(bytes.span.bytes, at: place(2)) { (event) throws(TidemarkError) in
                found.append(event)
            }
        }
        #expect(found.map(\.before.ordinal) == [place(5), place(20)])
        #expect(found.map(\.place) == ["d.c", "d.c"] && found.last?.action == "drop")
    }

    @Test func `a rename that a base may hold already is refused where no event tells`() throws {
        let uuid = try #require(CollectionUUID(hex: String(repeating: "ab", count: 16)))
        let key = BSONDocument([("_id", .int32(1))])
        let name = { (text: String) in
            BSONValue.document(BSONDocument([("db", .string("d")), ("coll", .string(text))]))
        }
        let told = [
            BSONDocument([
                ("operationType", .string("insert")), ("fullDocument", .document(key)),
                ("clusterTime", .timestamp(OpTime(ordinal: place(5)))), ("ns", name("a")),
                ("documentKey", .document(key)),
            ]),
            BSONDocument([
                ("to", name("b")), ("operationType", .string("rename")),
                ("clusterTime", .timestamp(OpTime(ordinal: place(8)))), ("ns", name("a")),
            ]),
        ]
        for (base, until, isRefused) in [
            (["b"], 10, true), (["a", "b"], 10, false), ([], 10, false), (["b"], 3, false),
        ] as [([String], UInt32, Bool)] {
            let target = MemoryDatabase()
            var catalog = ReplayCatalog()
            for name in base {
                catalog.add(
                    Namespace("d", name),
                    ReplayCatalog.Collection(uuid: uuid, options: .empty, indexes: []))
                try target.create(Namespace("d", name), .empty)
            }
            let replay = OplogReplay(
                target, catalog: catalog,
                rules: ReplayRules(
                    after: OpTime(ordinal: place(2)), upTo: nil,
                    fuzzyUntil: OpTime(ordinal: place(until))))
            try replay.take(told[0].bytes)
            if isRefused {
                let error = #expect(throws: TidemarkError.self) { try replay.take(told[1].bytes) }
                #expect(error?.message.contains("d.a was renamed to d.b") == true)
            } else {
                try replay.take(told[1].bytes)
                try replay.finish()
                #expect(target.collections[Namespace("d", "a")] == nil, "\(base)")
                #expect(target.collections[Namespace("d", "b")] != nil, "\(base)")
            }
        }
    }

    @Test(arguments: ["shop", "fuzzy"])
    func `a replay of events that is cut off goes on to the same state`(
        _ name: String
    ) async throws {
        try await offPool {
            let fixture = try MongoFixture(name)
            let events = try fixture.changes()
            let cut = try #require(try fixture.cuts().last)
            let until = fixture.isExact ? nil : fixture.end
            let (whole, catalog) = try based(fixture)
            let before = whole.calls
            try replay(events, onto: whole, catalog, fixture, to: cut.ts, until)
            let steps = whole.calls - before
            #expect(steps > 3)
            // Not every one: each is a replay of its own.
            for step in stride(from: 0, to: steps, by: max(1, steps / 16)) {
                let (target, catalog) = try based(fixture)
                target.limit = target.calls + step
                #expect(throws: TidemarkError.self) {
                    try replay(events, onto: target, catalog, fixture, to: cut.ts, until)
                }
                let marked = max(target.marked, fixture.begin)
                target.resume(at: marked)
                let (_, again) = try based(fixture)
                try replay(
                    events, onto: target, again, fixture, to: cut.ts, until, written: marked)
                #expect(target.collections.keys == whole.collections.keys)
                for (place, collection) in whole.collections {
                    let found = target.collections[place]
                    #expect(
                        found?.sortedHash == collection.sortedHash,
                        "\(place) of \(name) cut off at write \(step) of \(steps)")
                    #expect(found?.indexes == collection.indexes)
                }
            }
        }
    }

    private func replayed(
        _ fixture: MongoFixture, to cut: OpTime, fuzzyUntil: OpTime?
    ) throws -> MemoryDatabase {
        let (target, catalog) = try based(fixture)
        try replay(fixture.changes(), onto: target, catalog, fixture, to: cut, fuzzyUntil)
        return target
    }

    private func replay(
        _ events: [[UInt8]], onto target: MemoryDatabase, _ catalog: ReplayCatalog,
        _ fixture: MongoFixture, to cut: OpTime, _ fuzzyUntil: OpTime?, written: OpTime = .zero
    ) throws {
        let replay = OplogReplay(
            target, catalog: catalog,
            rules: ReplayRules(
                after: fixture.begin, upTo: cut, fuzzyUntil: fuzzyUntil, written: written))
        for event in events { try replay.take(event) }
        try replay.finish()
    }

    /// What the recorded base has of what events tell.
    private func based(_ fixture: MongoFixture) throws -> (MemoryDatabase, ReplayCatalog) {
        let target = MemoryDatabase()
        var catalog = ReplayCatalog()
        for (namespace, metadata, documents) in try fixture.base()
        where metadata["type"]?.string != "view" && namespace.database != "admin" {
            let options = metadata["options"]?.document ?? .empty
            catalog.add(
                namespace,
                ReplayCatalog.Collection(
                    uuid: metadata["uuid"]?.string.flatMap { CollectionUUID(hex: $0) },
                    options: options,
                    indexes: (metadata["indexes"]?.elements ?? []).compactMap(\.document)))
            try target.create(namespace, options)
            try target.append(documents, to: namespace)
        }
        return (target, catalog)
    }
}
