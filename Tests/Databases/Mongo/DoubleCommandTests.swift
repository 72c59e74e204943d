import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// Commands that tell of the server, and cursors, as a real server was recorded to answer them.
@Suite struct DoubleCommandTests {
    private static let place = Namespace("shop", "orders")

    private func double() throws -> MongoDouble {
        let double = try MongoDouble(entries: MongoFixture("shop").oplog(), visible: 20)
        double.state.update { state in
            var stored = MongoDoubleState.Stored()
            stored.documents = (0..<300).map {
                BSONDocument([("_id", .int32(Int32($0))), ("even", .bool($0 % 2 == 0))])
            }
            state.collections[Self.place] = stored
        }
        return double
    }

    private func connection(_ double: MongoDouble) throws -> Connection {
        try Connection(
            MongoConfiguration(
                source: SourceID("lessons")!, url: "mongodb://127.0.0.1:\(double.port)/"))
    }

    private func failure(
        _ connection: Connection, _ command: BSONDocument, on database: String = "admin"
    ) throws -> ConnectionFailure? {
        guard case .failure(let failure) = try connection.answer(command, on: database) else {
            return nil
        }
        return failure
    }

    @Test func `settings are told by name, as far as the version has them`() async throws {
        try await offPool {
            let double = try double()
            let connection = try connection(double)
            let compatibility = BSONDocument([
                ("getParameter", .int32(1)), ("featureCompatibilityVersion", .int32(1)),
            ])
            let told = try connection.run(compatibility)["featureCompatibilityVersion"]
            #expect(told?.document == BSONDocument([("version", .string("4.4"))]))
            let window = BSONDocument([
                ("getParameter", .int32(1)), ("minSnapshotHistoryWindowInSeconds", .int32(1)),
            ])
            #expect(try failure(connection, window)?.code == 72)
            double.state.update { $0.version = "7.0.5" }
            let reply = try connection.run(window)
            #expect(reply["minSnapshotHistoryWindowInSeconds"]?.integer == 300)
            #expect(reply["writePeriodicNoops"] == nil, "only what was asked for")
        }
    }

    @Test func `sizes and counts are those of the documents and of the oplog`() async throws {
        try await offPool {
            let double = try double()
            let told = try SecantusServer.python(
                """
                shop = client.shop
                print(shop.orders.estimated_document_count(), shop.none.estimated_document_count())
                print(shop.command("count", "orders", query={"_id": 7})["n"])
                stats = shop.command("collStats", "orders")
                print(stats["ns"], stats["count"], stats["size"] == sum(
                    len(bson.encode(x)) for x in shop.orders.find().batch_size(70)))
                stages = [{"$collStats": {"storageStats": {}, "count": {}}}]
                one = list(shop.orders.aggregate(stages))[0]
                print(one["count"], one["storageStats"]["size"] == stats["size"])
                print(client.local["oplog.rs"].estimated_document_count())
                """, url: "mongodb://127.0.0.1:\(double.port)/?directConnection=true", seconds: 60)
            #expect(told == "300 0\n1\nshop.orders 300 True\n300 True\n20")
            let connection = try connection(double)
            let oplog = BSONDocument([("collStats", .string("oplog.rs"))])
            #expect(try failure(connection, oplog, on: "local")?.isMissingRight == true)
            double.state.update { $0.oplogLimit = 990 << 20 }
            let reply = try connection.run(oplog, on: "local")
            #expect(reply["maxSize"]?.integer == 990 << 20 && reply["capped"]?.isTrue == true)
            #expect(reply["count"]?.integer == 20)
        }
    }

    @Test func `a server tells who it is, and who its users are`() async throws {
        try await offPool {
            let double = try double()
            let connection = try connection(double)
            let ask = BSONDocument([("serverStatus", .int32(1))])
            var status = try connection.run(ask)
            #expect(status["process"]?.string == "mongod" && status["version"]?.string == "4.4.4")
            #expect(status["repl"]?.document?["setName"]?.string == "rs0")
            #expect(status["storageEngine"]?.document?["name"]?.string == "wiredTiger")
            double.state.update(MongoDoubleState.makeRouter)
            status = try connection.run(ask)
            #expect(status["process"]?.string == "mongos" && status["repl"] == nil)
            #expect(status["storageEngine"] == nil)
        }
        try await offPool {
            let double = try double()
            double.state.update {
                $0.contact.users = [
                    MongoDoubleUser("a", password: "1"),
                    MongoDoubleUser("b", password: "2", on: "school"),
                ]
            }
            let told = try SecantusServer.python(
                """
                one = pymongo.MongoClient(
                    "mongodb://a:1@127.0.0.1:\(double.port)/?directConnection=true")
                for name in ("a", 1, {"user": "b", "db": "school"}, {"forAllDBs": True}, "x"):
                    users = one.admin.command("usersInfo", name)["users"]
                    print([(x["_id"], [r["role"] for r in x["roles"]]) for x in users])
                """, url: "mongodb://127.0.0.1:\(double.port)/?directConnection=true", seconds: 60)
            let a = "('admin.a', ['backup', 'clusterMonitor'])"
            let b = "('school.b', ['backup', 'clusterMonitor'])"
            #expect(told == "[\(a)]\n[\(a)]\n[\(b)]\n[\(a), \(b)]\n[]")
        }
    }

    @Test func `cursors are killed by name, and are not found elsewhere`() async throws {
        try await offPool {
            let double = try double()
            let connection = try connection(double)
            let cursor = try OplogCursor.open(connection, .anyMember, from: .zero)
            let id = double.state.read { $0.nextCursor }
            let elsewhere = BSONDocument([("getMore", .int64(id)), ("collection", .string("x"))])
            let wrong = try failure(connection, elsewhere, on: "local")
            #expect(wrong?.code == 13)
            #expect(wrong?.text.contains("belongs to a different namespace local.oplog.rs") == true)
            cursor.close()
            #expect(double.state.read { $0.commands["killCursors"] } == 1)
            let again = BSONDocument([
                ("killCursors", .string("oplog.rs")), ("cursors", .array([.int64(id)])),
            ])
            let reply = try connection.run(again, on: "local")
            #expect(reply["cursorsNotFound"]?.elements == [.int64(id)])
            #expect(reply["cursorsKilled"]?.elements == [])
            let gone = BSONDocument([("getMore", .int64(id)), ("collection", .string("oplog.rs"))])
            #expect(try failure(connection, gone, on: "local")?.code == 43)
        }
    }
}
