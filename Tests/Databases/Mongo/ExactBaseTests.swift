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
