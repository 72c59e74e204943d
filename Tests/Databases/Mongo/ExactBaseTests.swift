import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// Base backups of a server that can read as of one moment.
@Suite struct ExactBaseTests {
    private static let place = Namespace("shop", "orders")

    private func stored(_ value: Int32, count: Int32 = 3) -> MongoDoubleState.Stored {
        var stored = MongoDoubleState.Stored()
        stored.documents = (0..<count).map {
            BSONDocument([("_id", .int32($0)), ("v", .int32(value))])
        }
        return stored
    }

    private func double(wireVersion: Int32) throws -> MongoDouble {
        let double = try MongoDouble(entries: MongoFixture("fuzzy").oplog(), visible: 5)
        let now = stored(0)
        double.state.update { state in
            state.wireVersion = wireVersion
            state.collections[Self.place] = now
            state.frozen = state.collections
        }
        return double
    }

    /// Writes, before the collection is read; the entries are in the oplog.
    private func write(_ double: MongoDouble, to place: Namespace = Self.place) {
        let later = stored(1, count: 2)
        double.state.update { state in
            state.meanwhile["find"] = { state, request in
                guard request["find"]?.string == Self.place.collection else { return }
                state.collections[place] = later
                state.visible = 8
            }
        }
    }

    @Test func `writes during a base backup of a server that can read the past are not in it`()
        async throws
    {
        try await offPool {
            let double = try double(wireVersion: 17)
            write(double)
            let base = try BaseBackupRun(double.url)
            #expect(base.start == base.end, "exact")
            #expect(base.files["shop/orders.bson"] == stored(0).documents.flatMap(\.bytes))
        }
    }

    @Test func `a base backup is fuzzy where the past cannot be read or collections change`()
        async throws
    {
        try await offPool {
            let old = try double(wireVersion: 9)
            write(old)
            let first = try BaseBackupRun(old.url)
            #expect(first.end > first.start)
            #expect(
                first.files["shop/orders.bson"] == stored(1, count: 2).documents.flatMap(\.bytes))
            let changing = try double(wireVersion: 17)
            write(changing, to: Namespace("shop", "late"))
            let second = try BaseBackupRun(changing.url)
            #expect(second.end > second.start)
        }
    }

    /// A transaction as the server keeps it for whoever takes a base backup.
    private func transaction(_ id: Int32, _ state: String?, _ begun: OpTime) -> BSONDocument {
        var fields: [(String, BSONValue)] = [
            ("_id", .document(BSONDocument([("id", .int32(id))]))), ("txnNum", .int64(1)),
        ]
        if let state {
            let optime = BSONDocument([("ts", .timestamp(begun)), ("t", .int64(1))])
            fields += [("state", .string(state)), ("startOpTime", .document(optime))]
        }
        return BSONDocument(fields)
    }

    @Test(arguments: [Int32(9), 17])
    func `a base backup begins with the oldest transaction that is not decided`(
        _ wireVersion: Int32
    ) async throws {
        try await offPool {
            let double = try double(wireVersion: wireVersion)
            let times = double.state.read { $0.entries.prefix(5).map(\.ts) }
            var kept = MongoDoubleState.Stored()
            kept.documents = [
                transaction(1, "committed", times[0]), transaction(2, "inProgress", times[3]),
                transaction(3, "prepared", times[2]), transaction(4, "aborted", times[1]),
                transaction(5, nil, times[0]),
            ]
            double.state.update { [kept] in
                $0.collections[Namespace("config", "transactions")] = kept
            }
            let base = try BaseBackupRun(double.url)
            #expect(base.start == times[2].ordinal)
            // Of one moment or not: what lies between is replayed.
            #expect(base.end == times[4].ordinal)
            #expect(base.warnings.isEmpty)
            kept.documents = [transaction(1, "committed", times[0])]
            double.state.update { [kept] in
                $0.collections[Namespace("config", "transactions")] = kept
                $0.visible = 6
            }
            let later = try BaseBackupRun(double.url)
            #expect(later.start == double.state.read { $0.majority.ordinal })
            double.state.update {
                $0.failures["find on config"] = .init(13, "Unauthorized", "not authorized")
            }
            let blind = try BaseBackupRun(double.url)
            #expect(blind.start == later.start)
            let warning = try #require(blind.warnings.first)
            #expect(warning.contains("transactions that were open"))
            #expect(warning.contains("grantRolesToUser(\"tidemark\", [\"backup\""))
        }
    }

    @Test(arguments: [Int32(239), 246])
    func `a moment whose history the server has dropped meanwhile is given up`(
        _ code: Int32
    ) async throws {
        try await offPool {
            let double = try double(wireVersion: 17)
            let all = stored(0, count: 60)
            double.state.update { state in
                state.batchDocuments = 10
                state.collections = [Self.place: all]
                state.frozen = state.collections
                state.meanwhile["getMore"] = { state, _ in
                    let isNow = state.commands["getMore"] == 3
                    state.failures["getMore"] = isNow ? .init(code, "SnapshotTooOld", "gone") : nil
                    state.visible = 8
                }
            }
            let base = try BaseBackupRun(double.url)
            #expect(base.end > base.start, "fuzzy")
            // Read once more from its beginning; a restore takes the first of each.
            let read = try MongoFixture.documents(base.files["shop/orders.bson"] ?? [])
            #expect(read == (all.documents.prefix(30) + all.documents).map(\.bytes))
            let warning = try #require(base.warnings.first)
            #expect(warning.contains("shop.orders took longer to read"))
            #expect(warning.contains("minSnapshotHistoryWindowInSeconds"))
            #expect(base.warnings.count == 1)
        }
    }

    @Test func `a server that pays no heed to the moment is not believed`() async throws {
        try await offPool {
            let server = try SecantusServer.start()
            try server.python("client.shop.orders.insert_one({'_id': 1})")
            let base = try BaseBackupRun(server.url) { () throws(TidemarkError) in
                try server.python("client.shop.orders.insert_one({'_id': 2})")
            }
            #expect(base.end > base.start)
        }
    }
}
