import Model
import Mongo
import Platform
import TestKit
import Testing

/// A real mongod from which much is deleted while clients write, and whose capped collections are
/// emptied.
@Suite(.enabled(if: MongodHarness.isThere))
struct MongodDeletionTests {
    /// Those that `find` tells of a collection: of each the id.
    private static func events(
        _ harness: MongodHarness, _ place: String
    ) throws -> [(id: String, line: String)] {
        try harness.expect(0, ["find", "--match", place]).split(separator: "\n").compactMap {
            let line = String($0)
            let words = line.split(separator: " ").map(String.init)
            return words.first { $0.contains("-") && $0.count > 24 }.map { ($0, line) }
        }
    }

    @Test func `a large deletion beside inserting clients is one event, before which all is there`()
        async throws
    {
        try await offPool {
            let source = try MongodServer.start(
                MongodServer.Options(arguments: ["--setParameter", "enableTestCommands=1"]))
            try source.run(
                """
                client.shop.large.insert_many([{"_id": n} for n in range(20000)])
                client.shop.group.insert_many([{"_id": n} for n in range(3000)])
                client.shop.create_collection("ring", capped=True, size=100000, max=60)
                client.shop.ring.insert_many([{"_id": n} for n in range(50)])
                client.shop.ring.create_index("x")
                """)
            let harness = try MongodHarness(url: source.url + "/?replicaSet=rs0")
            let sidecar = try harness.startWithBackup()
            let load = try MongodLoad { script throws(TidemarkError) in try source.run(script) }
            try source.run(
                """
                import time
                load = client.load.documents
                while load.count_documents({}) < 50: time.sleep(0.02)
                before = load.count_documents({})
                client.shop.large.delete_many({})
                assert load.count_documents({}) > before
                client.shop.group.insert_one({"_id": "between"})
                client.admin.command("applyOps", [
                    {"op": "d", "ns": "shop.group", "o": {"_id": n}} for n in range(2000)])
                client.shop.command("emptycapped", "ring")
                client.shop.ring.insert_one({"_id": "new"})
                """)
            #expect(try load.end() > 50)
            try harness.expect(0, ["mark", "end"])
            let wanted = try MongodHarness.state(source)
            try harness.waitProved()
            #expect(try sidecar.terminate().isSuccess)

            let large = try Self.events(harness, "shop.large")
            #expect(large.count == 1, "\(large)")
            #expect(large.first?.line.contains("deletion of 100 documents or more") == true)
            let group = try Self.events(harness, "shop.group")
            #expect(group.count == 1, "\(group)")
            #expect(try Self.events(harness, "shop.ring").count == 1)
            let target = try MongodServer.start()
            try harness.restore(to: "before:\(try #require(large.first).id)", into: target)
            let told = try target.run(
                """
                shop = client.shop
                print(shop.large.count_documents({}), shop.ring.count_documents({}))
                for name in client.list_database_names():
                    if name not in ("admin", "config", "local"): client.drop_database(name)
                """)
            #expect(told == "20000 50")
            try harness.restore(to: "before:\(try #require(group.first).id)", into: target)
            let later = try target.run(
                """
                shop = client.shop
                print(shop.large.count_documents({}), shop.group.count_documents({}))
                for name in client.list_database_names():
                    if name not in ("admin", "config", "local"): client.drop_database(name)
                """)
            #expect(later == "0 3001")
            try harness.restore(to: "point:end", into: target)
            try MongodHarness.expectSame(target, as: wanted)
            #expect(try target.run("print(client.shop.ring.find_one())") == "{'_id': 'new'}")
        }
    }
}
