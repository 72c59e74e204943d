import Model
import Mongo
import Platform
import TestKit
import Testing

/// A real mongod as the source of an oplog, wherever there is one: everything the recorded one
/// shows, as its version writes it. Debian has none; see `MongodServer`.
struct MongodSourceTests {
    /// The live servers whose oplog has a server's own shapes.
    private static let sources = LiveMongoKind.there.filter { $0 == .mongod }

    /// Pipelines of updates came with 4.2, transactions with 4.0.
    private static let writes = """
        hasPipelines = \(MongodServer.isAtLeast(4, 2) ? "True" : "False")
        hasTransactions = \(MongodServer.isAtLeast(4, 0) ? "True" : "False")
        import random, threading
        shop = client.shop
        shop.orders.create_index("total")
        shop.create_collection("ring", capped=True, size=100000, max=50)
        bucket = __import__("gridfs").GridFS(client.files)

        def write(seed):
            chance = random.Random(seed)
            for number in range(300):
                key = chance.choice([number, str(number), float(number) + 0.5])
                shop.orders.replace_one({"_id": key}, {"total": number, "by": seed}, upsert=True)
                deeper = {"$set": {"deep.er": chance.random()}}
                shop.orders.update_one({"_id": key}, [deeper] if hasPipelines else deeper)
                shop.orders.update_one({"_id": key}, {"$push": {"list": number}})
                if number % 7 == 0: shop.orders.delete_one({"_id": key})
                shop.ring.insert_one({"n": number})
                if number % 50 == 0: bucket.put(b"x" * 600000, filename="f%d-%d" % (seed, number))
                if number % 60 == 0 and not hasTransactions:
                    shop.paid.insert_one({"n": number, "by": seed})
                elif number % 60 == 0:
                    with client.start_session() as session, session.start_transaction():
                        shop.paid.insert_one({"n": number, "by": seed}, session=session)
                        shop.orders.insert_one({"by": seed}, session=session)

        shop.paid.insert_one({"first": True})
        # Its entry is larger than a document may be.
        client.large.one.insert_one({"_id": 1, "b": bytes((16 << 20) - 40)})
        threads = [threading.Thread(target=write, args=(seed,)) for seed in range(3)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        shop.paid.rename("settled")
        """

    @Test(arguments: sources)
    func `what was written to a real server is restored to another one`(
        _ kind: LiveMongoKind
    ) async throws {
        try await offPool {
            let source = try MongodServer.start()
            let harness = try MongodHarness(url: source.url + "/?replicaSet=rs0")
            // The base backup is taken while three writers are at work.
            let writing = DedicatedThread("writers") { () throws(TidemarkError) in
                try source.run(Self.writes)
            }
            let sidecar = try harness.startWithBackup()
            _ = try writing.join()
            try harness.expect(0, ["mark", "end"])
            let wanted = try MongodHarness.state(source)
            #expect(wanted.contains("shop settled"))
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
            let target = try MongodServer.start()
            try harness.expect(
                0, ["restore", "--to", "point:end", "--into", "lessons=" + target.url])
            try MongodHarness.expectSame(target, as: wanted)
        }
    }
}
