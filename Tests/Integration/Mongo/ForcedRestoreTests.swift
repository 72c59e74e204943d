import Model
import Mongo
import Platform
import TestKit
import Testing

/// `--force` over a live server: what it held is gone, and what it was archived from is spared.
struct ForcedRestoreTests {
    private static func words(
        _ cut: MongoFixture.Cut, _ url: String, _ more: [String] = []
    ) -> [String] {
        ["restore", "--to", "optime:\(cut.ts)", "--into", "lessons=" + url] + more
    }

    /// Everything that a mixture is made of: documents of the same `_id`, documents of the source's
    /// collections, collections of its databases, a database of its own, and some in `admin`.
    private static let mixture = """
        for database in client.list_database_names():
            if database in ("admin", "config", "local"): continue
            place = client[database]
            place.own.insert_one({"_id": 1})
            for facts in list(place.list_collections()):
                name = facts["name"]
                if facts["type"] != "collection" or name.startswith("system."): continue
                if facts["options"].get("capped"): continue
                place.command("insert", name, documents=[{"_id": "extra"}],
                    bypassDocumentValidation=True)
                for document in list(place[name].find({}, {"_id": 1}).limit(3)):
                    place.command("update", name, bypassDocumentValidation=True,
                        updates=[{"q": document, "u": {"_id": document["_id"], "old": 1}}])
        client.other.kept.insert_one({"_id": 1})
        client.admin.mine.insert_one({"_id": 1})
        """

    @Test(arguments: LiveMongoKind.targets)
    func `a live server becomes what the source was, whatever it held`(
        _ kind: LiveMongoKind
    ) async throws {
        try await offPool {
            let harness = try ArchiveHarness.archived("shop")
            let cut = try #require(try harness.fixture.cuts().last)
            let server = try kind.start()
            try harness.expect(0, Self.words(cut, server.url))
            try server.run(Self.mixture)
            let mixed = try LiveState(server).names
            let refused = try harness.expect(2, Self.words(cut, server.url))
            #expect(refused.contains("--force to replace what is there"), "\(refused)")
            let force = Self.words(cut, server.url, ["--force"])
            let plan = try harness.expect(0, force + ["--dry-run"])
            #expect(plan.contains("note: --force drops what the server holds"), "\(plan)")
            #expect(plan.contains("database other") && plan.contains("admin.mine"), "\(plan)")
            #expect(try LiveState(server).names == mixed)
            let said = try harness.expect(0, force)
            #expect(said.contains("--force drops what the server holds"), "\(said)")
            let state = try LiveState(server)
            state.compare(cut, "by force")
            #expect(!state.names.contains("admin.mine"))
            // Half filled by another one it is no other way.
            try server.run(
                """
                client.tidemark_restore.progress.insert_one({"_id": "restore", "source": "other",
                    "backup": "b", "timeline": "t", "position": bson.Timestamp(5, 1)})
                client.other.kept.insert_one({"_id": 1})
                """)
            try harness.expect(0, force)
            try LiveState(server).compare(cut, "over half of another")
        }
    }

    /// Without a mongod: the double is a set of the same id as the one it stands for.
    @Test func `the source itself is refused by its set's id, with nothing written`()
        async throws
    {
        try await offPool {
            let harness = try ArchiveHarness.archived("shop")
            let cut = try #require(try harness.fixture.cuts().last)
            let double = harness.double
            let names = LiveState(double).names
            let before = double.state.read { $0.record.requests.count }
            for more in [[], ["--force"], ["--force", "--dry-run"]] {
                let said = try harness.expect(2, Self.words(cut, double.url, more))
                #expect(said.contains("is the one that lessons is archived from"), "\(said)")
                #expect(said.contains("empty server beside it"), "\(said)")
            }
            #expect(LiveState(double).names == names)
            let writes = ["insert", "update", "delete", "drop", "dropDatabase", "create"]
            let sent = double.state.read { $0.record.requests.dropFirst(before).map(\.name) }
            #expect(!sent.contains { writes.contains($0) }, "\(sent)")
            // It was initiated anew, at the same place: another set.
            double.state.update { state in
                state.replicaSetID = Array(20..<32)
                state.collections = [:]
            }
            try harness.expect(0, Self.words(cut, double.url))
            LiveState(double).compare(cut, "anew")
        }
    }

    @Test(.enabled(if: MongodHarness.isThere))
    func `nothing is dropped where not all of it may be`() async throws {
        try await offPool {
            let source = try MongodServer.start()
            let harness = try MongodHarness(url: source.url + "/?replicaSet=rs0")
            try source.run("client.shop.orders.insert_one({'_id': 1})")
            let sidecar = try harness.startWithBackup()
            try harness.expect(0, ["mark", "here"])
            #expect(try sidecar.terminate().isSuccess)
            let target = try MongodServer.start(MongodServer.Options(hasLogin: true))
            try target.run("client.admin.command('createUser', 'root', pwd='r', roles=['root'])")
            let root =
                "client = pymongo.MongoClient('mongodb://root:r@127.0.0.1:\(target.port)"
                + "/?directConnection=true')\n"
            try target.run(
                root + """
                    client.app.kept.insert_one({"_id": 1})
                    client.billing.kept.insert_one({"_id": 1})
                    client.admin.command("createUser", "app", pwd="a", roles=["clusterMonitor",
                        "restore", {"role": "dbOwner", "db": "app"},
                        {"role": "dbOwner", "db": "tidemark_restore"},
                        {"role": "read", "db": "billing"}])
                    """)
            let into = { (user: String) in
                [
                    "restore", "--to", "point:here", "--force", "--into",
                    "lessons=mongodb://\(user)@127.0.0.1:\(target.port)/?authSource=admin",
                ]
            }
            for more in [[], ["--dry-run"]] {
                let said = try harness.expect(5, into("app:a") + more)
                #expect(said.contains("may not drop billing"), "\(said)")
                #expect(said.contains("nothing was dropped"), "\(said)")
            }
            let names = root + "print(sorted(client.list_database_names()))"
            #expect(try target.run(names).contains("'app', 'billing'"))
            try harness.expect(0, into("root:r"))
            let left = try target.run(names)
            #expect(left.contains("'shop'") && !left.contains("billing"), "\(left)")
        }
    }

    @Test(.enabled(if: MongodHarness.isThere))
    func `a real source is refused under any name, and filled when it is initiated anew`()
        async throws
    {
        try await offPool {
            let source = try MongodServer.start()
            let harness = try MongodHarness(url: source.url + "/?replicaSet=rs0")
            try source.run("client.shop.orders.insert_one({'_id': 1})")
            let sidecar = try harness.startWithBackup()
            try harness.expect(0, ["mark", "here"])
            let wanted = try MongodHarness.state(source)
            #expect(try sidecar.terminate().isSuccess)
            try source.run("client.shop.orders.insert_one({'_id': 2})")
            let now = try MongodHarness.state(source)
            for host in ["127.0.0.1", "localhost"] {
                let url = "mongodb://\(host):\(source.port)/"
                for more in [[], ["--force"], ["--force", "--dry-run"]] {
                    let said = try harness.expect(
                        2, ["restore", "--to", "point:here", "--into", "lessons=" + url] + more)
                    #expect(said.contains("is archived from: both are the set"), "\(said)")
                }
            }
            #expect(try MongodHarness.state(source) == now)
            let beside = try MongodServer.start()
            try beside.run(
                """
                client.shop.orders.insert_one({"_id": 1, "old": 1})
                client.shop.orders.create_index("old")
                client.shop.own.insert_one({"_id": 1})
                client.other.kept.insert_one({"_id": 1})
                """)
            let point = ["restore", "--to", "point:here", "--into"]
            let occupied = try harness.expect(2, point + ["lessons=" + beside.url])
            #expect(occupied.contains("give --force to replace what is there"), "\(occupied)")
            try harness.expect(0, point + ["lessons=" + beside.url, "--force"])
            try MongodHarness.expectSame(beside, as: wanted)
            try source.stop()
            try source.wipe()
            try source.start()
            try harness.restore(to: "point:here", into: source)
            try MongodHarness.expectSame(source, as: wanted)
        }
    }
}
