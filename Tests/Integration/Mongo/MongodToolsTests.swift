import Model
import Mongo
import Platform
import TestKit
import Testing

/// Base backups and folders beside the official tools of the server's own time.
@Suite(
    .serialized,
    .enabled(if: MongodServer.tool("mongodump") != nil && MongodServer.tool("mongorestore") != nil))
struct MongodToolsTests {
    /// Collections of several kinds, users and roles; then what the official tools can replay: no
    /// writes past a validator.
    private static let before = """
        shop = client.shop
        shop.plain.insert_many([{"_id": n, "list": [n, {"x": str(n)}]} for n in range(500)])
        shop.plain.create_index([("list.x", 1), ("_id", -1)], name="by x")
        shop.create_collection("ring", capped=True, size=100000, max=40)
        shop.ring.insert_many([{"_id": n} for n in range(30)])
        shop.create_collection("checked", validator={"a": {"$gt": 0}}, validationAction="error")
        shop.checked.insert_one({"_id": 1, "a": 1})
        shop.create_collection("seen", viewOn="plain", pipeline=[{"$match": {"_id": 1}}])
        shop.create_collection("swiss", collation={"locale": "de", "strength": 2})
        shop["odd-name.x"].insert_one({"_id": "ä"})
        client.admin.command("createRole", "reader", roles=[],
            privileges=[{"resource": {"db": "shop", "collection": "plain"}, "actions": ["find"]}])
        client.shop.command("createUser", "clerk", pwd="secret",
            roles=[{"role": "reader", "db": "admin"}])
        """

    private static let after = """
        shop = client.shop
        shop.plain.update_many({"_id": {"$lt": 100}}, {"$set": {"list.0": "changed"}})
        shop.plain.delete_many({"_id": {"$gte": 400}})
        shop.plain.insert_many([{"_id": "late %d" % n} for n in range(50)])
        shop.plain.create_index("late")
        shop.ring.insert_many([{"_id": n} for n in range(30, 60)])
        shop.checked.replace_one({"_id": 1}, {"a": 7})
        client.other.made.insert_one({"_id": 1})
        client.admin.command("createUser", "boss", pwd="secret", roles=["root"])
        client.shop.command("updateUser", "clerk", roles=[])
        client.admin.command("createRole", "writer", privileges=[], roles=["readWrite"])
        client.admin.command("dropRole", "reader")
        """

    /// Users and roles, as they are kept.
    private static func people(_ server: MongodServer) throws -> String {
        try server.run(
            """
            for name in ("system.users", "system.roles"):
                for one in client.admin[name].find().sort("_id", 1): print(name, one)
            """)
    }

    /// Runs an official tool against a server; it must do what it is told.
    private static func run(
        _ words: [String], _ server: MongodServer, location: SourceLocation = #_sourceLocation
    ) throws {
        let name = try #require(words.first)
        let program = try #require(MongodServer.tool(name))
        let done = try Subprocess.run(
            program,
            Array(words.dropFirst()) + ["--host", "127.0.0.1", "--port", "\(server.port)"],
            seconds: 120)
        #expect(done.status.isSuccess, "\(words): \(done.errors)", sourceLocation: location)
    }

    /// Names of the files in a dump, and what differs between two: documents byte for byte, of
    /// metadata options and indexes.
    private static func differences(
        _ ours: String, _ theirs: String, _ server: MongodServer
    ) throws -> String {
        try server.run(
            """
            import glob, os
            from bson import json_util
            def files(root):
                names = glob.glob(root + "/*/*.bson") + glob.glob(root + "/*/*.metadata.json")
                found = {os.path.relpath(n, root): open(n, "rb").read() for n in names}
                # Nobody restores them: `config` is the server's own.
                return {n: x for n, x in found.items() if not n.startswith("config/")}
            def plain(name, content):
                if name.endswith(".bson"): return content
                told = json_util.loads(content.decode())
                return [told.get("options", {}), told.get("indexes", []), told.get("uuid") or None]
            ours, theirs = files("\(ours)"), files("\(theirs)")
            both = set(ours) & set(theirs)
            different = [n for n in both if plain(n, ours[n]) != plain(n, theirs[n])]
            print(len(ours) > 10, sorted(set(ours) ^ set(theirs)), different)
            """)
    }

    @Test func `a folder is what mongodump writes, and mongorestore makes the source of it`()
        async throws
    {
        try await offPool {
            let source = try MongodServer.start()
            try source.run(Self.before)
            let harness = try MongodHarness(url: source.url + "/?replicaSet=rs0")
            let sidecar = try harness.startWithBackup()
            let dump = harness.folder + "/dump"
            try Self.run(["mongodump", "--out", dump], source)
            try harness.expect(0, ["mark", "quiet"])
            try source.run(Self.after)
            try harness.expect(0, ["mark", "end"])
            let (state, people) = (try MongodHarness.state(source), try Self.people(source))
            try harness.waitProved()
            #expect(try sidecar.terminate().isSuccess)

            let quiet = harness.folder + "/quiet"
            try harness.expect(0, ["restore", "--to", "point:quiet", "--into", "lessons=" + quiet])
            let told = try Self.differences(quiet, dump, source)
            #expect(told == "True [] []", "\(told)")

            let place = harness.folder + "/folder"
            let said = try harness.expect(
                0, ["restore", "--to", "point:end", "--into", "lessons=" + place])
            // The very command that is printed.
            let command = try #require(
                said.split(separator: "`").first { $0.hasPrefix("mongorestore ") }, "\(said)")
            let target = try MongodServer.start()
            try Self.run(command.split(separator: " ").map(String.init), target)
            try MongodHarness.expectSame(target, as: state, "by mongorestore")
            #expect(try Self.people(target) == people)
            // And by ourselves: the versions of the server's own data are left to it.
            let live = try MongodServer.start()
            try harness.restore(to: "point:end", into: live)
            try MongodHarness.expectSame(live, as: state, "by tidemark")
            #expect(try Self.people(live) == people)
        }
    }
}
