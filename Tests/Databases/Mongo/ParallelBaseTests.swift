import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// Base backups of large collections, which are read in several stretches at once, while the
/// collections change.
@Suite struct ParallelBaseTests {
    private static let place = Namespace("shop", "orders")
    private static let other = Namespace("shop", "archived")

    private static let idIndex = BSONDocument([
        ("v", .int32(2)), ("key", .document(BSONDocument([("_id", .int32(1))]))),
        ("name", .string("_id_")),
    ])

    /// One `_id` of every type that can be one, then some of a few types, each document once.
    private static let mixed: [BSONDocument] = {
        var ids: [BSONValue] = [
            BSONValue(.maxKey, []), .string("b"), .bool(true), .double(2.5), .null,
            .document(BSONDocument([("a", .int32(1))])), .binary([1, 2, 3]),
            .objectID(Array(repeating: 7, count: 12)), .date(milliseconds: -5),
            .timestamp(OpTime(seconds: 9, increment: 1)), BSONValue(.minKey, []), .int64(1 << 40),
            .double(.nan), .double(-.infinity), .bool(false), .string(""),
        ]
        ids += (0..<300).map { .int32(($0 * 7919) % 1000) }
        ids += (0..<200).map { .string("id \(($0 * 31) % 200)") }
        ids += (0..<100).map { .objectID([UInt8($0)] + Array(repeating: 1, count: 11)) }
        return ids.enumerated().map { place, id in
            BSONDocument([("_id", id), ("n", .int32(Int32(place)))])
        }
    }()

    private static func stored(
        _ documents: [BSONDocument], uuid: UInt8 = 1, options: BSONDocument = .empty
    ) -> MongoDoubleState.Stored {
        var stored = MongoDoubleState.Stored()
        stored.documents = documents
        stored.indexes = [idIndex]
        stored.uuid = CollectionUUID(Array(repeating: uuid, count: 16))
        stored.options = options
        return stored
    }

    /// - Parameter stretches: into so many the collection would be cut.
    private func double(
        _ collections: [Namespace: MongoDoubleState.Stored], stretches: Int64 = 8
    ) throws -> MongoDouble {
        let double = try MongoDouble(entries: MongoFixture("fuzzy").oplog(), visible: 5)
        double.state.update { state in
            state.collections = collections
            state.batchDocuments = 10
            let bytes = collections[Self.place]?.documents.reduce(0) { $0 + $1.bytes.count } ?? 1
            state.sizeFactor = stretches * Int64(ReadPlan.rangeBytes) / Int64(max(1, bytes)) + 1
        }
        return double
    }

    private func documents(_ base: BaseBackupRun, _ place: Namespace) throws -> [BSONDocument] {
        let bytes = base.files["\(place.database)/\(place.collection).bson"] ?? []
        return try MongoFixture.documents(bytes).map { try BSONDocument($0) }
    }

    private static func inOrder(_ documents: [BSONDocument]) -> [BSONDocument] {
        documents.sorted { BSONOrder.precedes($0["_id"]!, $1["_id"]!) }
    }

    @Test(arguments: [Int32(9), 17])
    func `stretches hold every document once, whatever the types of their ids`(
        _ wireVersion: Int32
    ) async throws {
        try await offPool {
            for stretches: Int64 in [2, 3, 8, 23] {
                let double = try double([Self.place: Self.stored(Self.mixed)], stretches: stretches)
                double.state.update { state in
                    state.wireVersion = wireVersion
                    state.frozen = state.collections
                    state.meanwhile["getMore"] = { state, _ in state.visible = 7 }
                }
                let base = try BaseBackupRun(double.url)
                let expected = Self.inOrder(Self.mixed)
                #expect(try documents(base, Self.place) == expected, "in \(stretches)")
                // Two questions found out whether bounds are heeded.
                #expect(double.state.read { $0.commands["find"]! } >= Int(stretches) + 2)
                #expect((base.start == base.end) == (wireVersion == 17))
            }
        }
    }

    @Test func `several stretches give the documents that one gives, and always the same file`()
        async throws
    {
        try await offPool {
            let small = try double([Self.place: Self.stored(Self.mixed)], stretches: 0)
            let whole = try documents(BaseBackupRun(small.url), Self.place)
            // As they lie.
            #expect(whole == Self.mixed)
            let large = try double([Self.place: Self.stored(Self.mixed)])
            let first = try documents(BaseBackupRun(large.url), Self.place)
            #expect(Set(first) == Set(whole) && first.count == whole.count)
            large.state.update { $0.sizeFactor *= 3 }
            #expect(try documents(BaseBackupRun(large.url), Self.place) == first)
        }
    }

    @Test func `a server that pays no heed to bounds is read in one go`() async throws {
        try await offPool {
            let double = try double([Self.place: Self.stored(Self.mixed)])
            double.state.update { $0.ignoresBounds = true }
            #expect(try documents(BaseBackupRun(double.url), Self.place) == Self.mixed)
        }
    }

    @Test func `a capped collection is read in its own order by one cursor`() async throws {
        try await offPool {
            let options = BSONDocument([("capped", .bool(true)), ("size", .int32(1 << 20))])
            let double = try double([Self.place: Self.stored(Self.mixed, options: options)])
            let base = try BaseBackupRun(double.url)
            #expect(try documents(base, Self.place) == Self.mixed)
            #expect(double.state.read { $0.commands["aggregate"] } == nil)
        }
    }

    @Test func `lost cursors cost no document and bring none twice`() async throws {
        try await offPool {
            let double = try double([Self.place: Self.stored(Self.mixed)])
            double.state.update { state in
                state.meanwhile["getMore"] = { state, _ in
                    if state.commands["getMore"]! % 5 == 0 { state.loseCursors() }
                }
            }
            let base = try BaseBackupRun(double.url)
            #expect(try documents(base, Self.place) == Self.inOrder(Self.mixed))
        }
    }

    @Test(arguments: [Int64(0), 8])
    func `a collection that is renamed while it is read is read to its end`(
        _ stretches: Int64
    ) async throws {
        try await offPool {
            let double = try double([Self.place: Self.stored(Self.mixed)], stretches: stretches)
            let strange = Self.stored([BSONDocument([("_id", .string("strange"))])], uuid: 9)
            double.state.update { state in
                state.meanwhile["getMore"] = { state, _ in
                    guard state.commands["getMore"] == 12 else { return }
                    state.rename(Self.place, to: Self.other)
                    state.collections[Self.place] = strange
                }
            }
            double.write(2)
            let base = try BaseBackupRun(double.url)
            let found = try documents(base, Self.place)
            #expect(Set(found) == Set(Self.mixed))
            #expect(stretches == 0 || found.count == Self.mixed.count)
        }
    }

    @Test func `a name that has passed to another collection before its turn is not taken for it`()
        async throws
    {
        try await offPool {
            let double = try double([Self.place: Self.stored(Self.mixed)], stretches: 0)
            let strange = Self.stored([BSONDocument([("_id", .string("strange"))])], uuid: 9)
            double.state.update { state in
                state.meanwhile["find"] = { state, request in
                    guard request["find"]?.string == "orders", state.collections[Self.other] == nil
                    else { return }
                    state.rename(Self.place, to: Self.other)
                    state.collections[Self.place] = strange
                }
            }
            let base = try BaseBackupRun(double.url)
            #expect(try documents(base, Self.place) == Self.mixed)
        }
    }

    @Test(arguments: [Int64(0), 8])
    func `a collection that is dropped while it is read ends there, and so does the base`(
        _ stretches: Int64
    ) async throws {
        try await offPool {
            let kept = Self.stored([BSONDocument([("_id", .int32(1))])], uuid: 2)
            let double = try double(
                [Self.place: Self.stored(Self.mixed), Namespace("shop", "zebra"): kept],
                stretches: stretches)
            double.state.update { state in
                state.meanwhile["getMore"] = { state, _ in
                    guard state.commands["getMore"] == 12 else { return }
                    state.drop(Self.place)
                    state.visible += 2
                }
            }
            let base = try BaseBackupRun(double.url)
            let found = try documents(base, Self.place)
            #expect(Set(found).isSubset(of: Set(Self.mixed)))
            #expect(found.count < Self.mixed.count)
            #expect(try documents(base, Namespace("shop", "zebra")) == kept.documents)
            #expect(base.end > base.start, "the drop is replayed")
        }
    }

    @Test func `a cursor that is lost again and again ends the base with its cause`() async throws {
        try await offPool {
            let options = BSONDocument([("capped", .bool(true)), ("size", .int32(1 << 20))])
            let double = try double([Self.place: Self.stored(Self.mixed, options: options)])
            double.state.update { state in
                state.meanwhile["getMore"] = { state, _ in state.loseCursors() }
            }
            let error = #expect(throws: TidemarkError.self) { try BaseBackupRun(double.url) }
            #expect(error?.code == .sourceUnreachable)
            #expect(error?.message.contains("shop.orders") == true)
        }
    }

    @Test(arguments: LiveMongoKind.there)
    func `a live server with mixed ids is read in stretches, each document once`(
        _ kind: LiveMongoKind
    ) async throws {
        try await offPool {
            let server = try kind.start()
            try server.run(
                """
                import os
                c = client.shop.orders
                fill = os.urandom(60000)
                ids = [i if i % 3 else ("id %d" % i if i % 2 else bson.ObjectId()) for i in range(600)]
                ids += [bson.MinKey(), bson.MaxKey(), None, True, 2.5, {"a": 1}]
                for at in range(0, len(ids), 100):
                    c.insert_many([{"_id": i, "fill": fill} for i in ids[at:at + 100]])
                """)
            let base = try BaseBackupRun(server.url)
            let found = try documents(base, Self.place)
            #expect(found.count == 606)
            #expect(Set(found.map { $0["_id"] }).count == 606)
            // In the order of the index, so they came in stretches.
            #expect(found.first?["_id"]?.type == .minKey)
            #expect(found.last?["_id"]?.type == .maxKey)
        }
    }
}
