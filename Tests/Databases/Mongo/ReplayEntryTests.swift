import Model
import Testing

@testable import Mongo

/// Entries in the shapes of servers that no recording is of, through the whole replay.
@Suite struct ReplayEntryTests {
    private static let place = Namespace("db", "c")

    private static func field(_ name: String, _ value: BSONValue) -> BSONValue {
        .document(BSONDocument([(name, value)]))
    }

    private static func key(_ id: Int32) -> BSONDocument { BSONDocument([("_id", .int32(id))]) }

    /// `op`, `ns`, `o` and `o2`, as they stand in an entry and inside of `applyOps`.
    private static func operation(
        _ op: String, _ o: BSONDocument, of id: Int32? = nil, ns: String = "db.c"
    ) -> BSONDocument {
        var fields: [(String, BSONValue)] = [
            ("op", .string(op)), ("ns", .string(ns)), ("o", .document(o)),
        ]
        if let id { fields.append(("o2", .document(key(id)))) }
        return BSONDocument(fields)
    }

    private static func entry(_ ts: UInt32, _ operation: BSONDocument) -> [UInt8] {
        operation.setting("ts", .timestamp(OpTime(seconds: ts, increment: 1)))
            .setting("t", .int64(1)).setting("v", .int64(2))
            .setting("wall", .date(milliseconds: Int64(ts) * 1000)).bytes
    }

    private static func command(_ ts: UInt32, _ o: BSONDocument) -> [UInt8] {
        entry(ts, operation("c", o, ns: "db.$cmd"))
    }

    private static func delta(_ fields: [(String, BSONValue)]) -> BSONDocument {
        BSONDocument([("$v", .int32(2)), ("diff", .document(BSONDocument(fields)))])
    }

    /// A replay onto `db.c` with these documents.
    private func replay(
        _ entries: [[UInt8]], onto documents: [BSONDocument] = [],
        options: BSONDocument = .empty, fuzzyUntil: UInt32? = nil
    ) throws -> (target: MemoryDatabase, report: ReplayReport, options: BSONDocument?) {
        let target = MemoryDatabase()
        var catalog = ReplayCatalog()
        let index = BSONDocument([
            ("v", .int32(2)), ("key", Self.field("a", .int32(1))), ("name", .string("a_1")),
        ])
        catalog.add(Self.place, .init(uuid: nil, options: options, indexes: [index]))
        try target.create(Self.place, options)
        try target.append(documents, to: Self.place)
        let replay = OplogReplay(
            target, catalog: catalog,
            rules: ReplayRules(
                after: .zero, fuzzyUntil: fuzzyUntil.map { OpTime(seconds: $0, increment: 1) }))
        for entry in entries { try replay.take(entry) }
        try replay.finish()
        return (target, replay.report, replay.catalog[Self.place]?.options)
    }

    private func documents(_ target: MemoryDatabase) -> [BSONDocument] {
        target.collections[Self.place]?.documents ?? []
    }

    // MARK: names

    @Test func `names that only Swift takes for equal are two collections`() throws {
        let names = ["caf\u{E9}", "cafe\u{301}"]
        let (target, report, _) = try replay(
            names.enumerated().flatMap { number, name in
                let ts = UInt32(10 * number)
                return [
                    Self.command(ts + 5, BSONDocument([("create", .string(name))])),
                    Self.entry(
                        ts + 6, Self.operation("i", Self.key(Int32(number)), ns: "db.\(name)")),
                    Self.entry(ts + 7, Self.operation("i", Self.key(9), ns: "db.\(name)")),
                ]
            } + [Self.command(28, BSONDocument([("drop", .string(names[1]))]))])
        #expect(report.misses == 0)
        let whole = target.collections[Namespace("db", names[0])]?.documents
        #expect(whole == [Self.key(0), Self.key(9)])
        #expect(target.collections[Namespace("db", names[1])] == nil)
    }

    @Test func `a name may begin with a sign that joins the dot before it`() throws {
        let name = "\u{301}x"
        let place = try #require(Namespace("db.\(name)"))
        #expect(place == Namespace("db", name) && place.collection.utf8.elementsEqual(name.utf8))
        let (target, _, _) = try replay([
            Self.command(5, BSONDocument([("create", .string(name))])),
            Self.entry(6, Self.operation("i", Self.key(1), ns: "db.\(name)")),
        ])
        #expect(target.collections[place]?.documents == [Self.key(1)])
        let buckets = Namespace("db", "system.buckets.\(name)")
        #expect(NamespacePolicy.timeSeries(of: buckets) == place)
    }

    @Test func `an aggregation into a time series stops the restore by name`() throws {
        let create = BSONDocument([("create", .string("system.buckets.tmp.agg_out.1"))])
        let rename = BSONDocument([
            ("renameCollection", .string("db.system.buckets.tmp.agg_out.1")),
            ("to", .string("db.system.buckets.weather")), ("dropTarget", .bool(false)),
        ])
        let error = #expect(throws: TidemarkError.self) {
            try replay([Self.command(5, create), Self.command(6, rename)])
        }
        #expect(error?.message.contains("time series db.weather") == true)
        #expect(error?.remedy.contains("before it") == true)
    }

    // MARK: commands

    @Test func `what was emptied holds what came later, with its options and indexes`() throws {
        let options = BSONDocument([("capped", .bool(true)), ("size", .int32(1 << 20))])
        let (target, report, _) = try replay(
            [
                Self.entry(5, Self.operation("i", Self.key(10))),
                Self.command(6, BSONDocument([("emptycapped", .string("c"))])),
                Self.entry(7, Self.operation("i", Self.key(11))),
            ], onto: (0..<9).map(Self.key), options: options)
        #expect(documents(target) == [Self.key(11)])
        let collection = try #require(target.collections[Self.place])
        #expect(collection.options == options && collection.indexes.count == 1)
        #expect(report.misses == 0)
    }

    @Test func `a capped collection that was resized is made anew in its new size`() throws {
        let options = BSONDocument([("capped", .bool(true)), ("size", .int32(4096))])
        let change = BSONDocument([
            ("collMod", .string("c")), ("cappedSize", .int64(1 << 20)), ("cappedMax", .int64(3)),
        ])
        let (target, _, known) = try replay(
            [
                Self.command(5, change),
                Self.command(6, BSONDocument([("emptycapped", .string("c"))])),
            ], options: options)
        let wanted = BSONDocument([
            ("capped", .bool(true)), ("size", .int64(1 << 20)), ("max", .int64(3)),
        ])
        #expect(known == wanted)
        #expect(target.collections[Self.place]?.options == wanted)
    }

    @Test(arguments: [
        "startIndexBuild", "abortIndexBuild", "dbCheck", "setMultikeyMetadata", "dropIdent",
        "modifyCollectionShardingIndexCatalog", "createDatabaseMetadata", "dropDatabaseMetadata",
    ])
    func `commands that a restore has nothing to do for are passed over`(_ name: String) throws {
        let (target, report, _) = try replay(
            [
                Self.command(5, BSONDocument([(name, .string("c"))])),
                Self.entry(6, Self.operation("i", Self.key(1))),
            ])
        #expect(documents(target) == [Self.key(1)] && report.entries == 2)
    }

    @Test(arguments: ["xi", "xd", "ci", "cd", "cu", "km"])
    func `the bookkeeping of newer servers is passed over`(_ op: String) throws {
        let (target, _, _) = try replay(
            [
                Self.entry(5, Self.operation(op, Self.key(1))),
                Self.entry(6, Self.operation("i", Self.key(2))),
            ])
        #expect(documents(target) == [Self.key(2)])
    }

    @Test func `an entry that nobody knows stops the replay and is printed`() throws {
        let secret = BSONDocument([("_id", .int32(1)), ("field", .string("what it has"))])
        let version = BSONDocument([("$v", .int32(3)), ("patch", .string("what it has"))])
        let global = BSONDocument([("createGlobalIndex", .string("what it has"))])
        let series = BSONDocument([
            ("upgradeDowngradeViewlessTimeseries", .string("what it has"))
        ])
        let unheard = BSONDocument([("createUnheardOf", .string("what it has"))])
        let cases: [([UInt8], String, isPrinted: Bool)] = [
            (Self.entry(5, Self.operation("zz", secret)), "op zz", true),
            (Self.entry(5, Self.operation("u", version, of: 1)), "op u of version 3", true),
            (Self.command(5, unheard), "the command createUnheardOf", true),
            (Self.command(5, global), "createGlobalIndex", false),
            (Self.command(5, series), "upgradeDowngradeViewlessTimeseries", false),
        ]
        for (entry, what, isPrinted) in cases {
            let error = #expect(throws: TidemarkError.self) {
                _ = try replay([entry, Self.entry(6, Self.operation("i", Self.key(1)))])
            }
            #expect(error?.code == .failed, "\(what)")
            let message = error?.message ?? ""
            #expect(message.contains("the oplog entry 5.1") && message.contains(what), "\(message)")
            #expect(message.contains("what it has") == isPrinted, "\(message)")
            #expect(error?.remedy.contains("a target before 5.1") == true)
        }
    }

    // MARK: deltas

    private static let base = BSONDocument([
        ("_id", .int32(1)), ("a", .int32(1)), ("b", .string("old")),
        ("in", .document(BSONDocument([("x", .int32(1)), ("y", .int32(2))]))),
        ("list", .array([.int32(1), .int32(2), .int32(3)])),
    ])

    private static let first = delta([
        ("d", field("b", .bool(false))), ("u", field("a", .int32(7))),
        ("i", field("new", .string("n"))), ("sin", field("u", field("x", .int32(9)))),
        (
            "slist",
            .document(
                BSONDocument([("a", .bool(true)), ("l", .int32(2)), ("u1", .int32(20))]))
        ),
    ])

    private static let after = BSONDocument([
        ("_id", .int32(1)), ("a", .int32(7)),
        ("in", .document(BSONDocument([("x", .int32(9)), ("y", .int32(2))]))),
        ("list", .array([.int32(1), .int32(20)])), ("new", .string("n")),
    ])

    private static let second = delta([("u", field("a", .int64(8)))])

    @Test func `a delta is applied to what the base has`() throws {
        let (target, report, _) = try replay(
            [Self.entry(5, Self.operation("u", Self.first, of: 1))], onto: [Self.base])
        #expect(documents(target) == [Self.after])
        #expect(report.misses == 0 && report.written == 1)
    }

    @Test func `two deltas of one document are one write`() throws {
        let (target, report, _) = try replay(
            [
                Self.entry(5, Self.operation("u", Self.first, of: 1)),
                Self.entry(6, Self.operation("u", Self.second, of: 1)),
            ], onto: [Self.base])
        #expect(documents(target) == [Self.after.setting("a", .int64(8))])
        #expect(report.misses == 0 && report.written == 1)
    }

    @Test func `deltas inside applyOps, and of a document that came in the same window`() throws {
        let operations: [BSONDocument] = [
            Self.operation("i", Self.base), Self.operation("u", Self.first, of: 1),
            Self.operation("u", Self.second, of: 1),
        ]
        let ops = BSONDocument([("applyOps", .array(operations.map { .document($0) }))])
        let (target, report, _) = try replay([Self.command(5, ops)])
        #expect(documents(target) == [Self.after.setting("a", .int64(8))])
        #expect(report.misses == 0 && report.operations == 4)
    }

    // MARK: misses

    @Test func `an update that meets no document is a miss where the base must have had it`()
        throws
    {
        let insert = Self.entry(5, Self.operation("i", Self.base))
        let update = Self.entry(6, Self.operation("u", Self.second, of: 1))
        let cases: [(entries: [[UInt8]], fuzzyUntil: UInt32?, misses: Int, expected: Int)] = [
            ([insert, update], nil, 0, 0), ([update], nil, 1, 0), ([update], 6, 0, 1),
            ([update], 9, 0, 1), ([update], 5, 1, 0),
        ]
        for (entries, until, misses, expected) in cases {
            let report = try replay(entries, fuzzyUntil: until).report
            #expect(report.misses == misses && report.expectedMisses == expected, "\(report)")
            let named = report.firstMisses.map(\.description)
            #expect(named == (misses > 0 ? ["db.c {_id: 1}"] : []))
        }
    }

    @Test func `a deletion and a replacement are missed too, and of many the first are named`()
        throws
    {
        let gone = Self.entry(5, Self.operation("d", Self.key(1)))
        let deleted = try replay([gone]).report
        #expect(deleted.misses == 1)
        #expect(deleted.firstMisses.map(\.description) == ["db.c {_id: 1}"])
        let replaced = try replay([Self.entry(5, Self.operation("u", Self.base, of: 1))]).report
        #expect(replaced.misses == 1)
        #expect(replaced.firstMisses.map(\.description) == ["db.c {_id: 1}"])
        // What has to be read is named; of what the server does by itself it tells a number.
        for (change, names) in [(Self.first, 5), (Self.second, 1)] {
            let entries = (0..<20).map {
                Self.entry(5 + $0, Self.operation("u", change, of: Int32($0)))
            }
            let many = try replay(entries).report
            #expect(many.misses == 20)
            #expect(Set(many.firstMisses).count == names)
            #expect(many.firstMisses.count == names)
            #expect(many.firstMisses.allSatisfy { $0.namespace == Namespace("db", "c") })
        }
        // Of the window itself: what was deleted is changed.
        let late = try replay(
            [
                Self.entry(5, Self.operation("d", Self.key(1))),
                Self.entry(6, Self.operation("u", Self.second, of: 1)),
            ], onto: [Self.base]
        ).report
        #expect(late.misses == 1)
        #expect(late.firstMisses.map(\.description) == ["db.c {_id: 1}"])
    }
}
