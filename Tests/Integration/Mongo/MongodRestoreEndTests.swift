import Model
import Mongo
import Platform
import TestKit
import Testing

/// Restores into a real mongod that are killed at their end.
@Suite(.enabled(if: MongodHarness.isThere))
struct MongodRestoreEndTests {
    /// An archive with users, roles and the points `first` and `second`, and how its server was.
    private static func archived() throws -> (harness: MongodHarness, first: String) {
        let source = try MongodServer.start()
        let harness = try MongodHarness(url: source.url + "/?replicaSet=rs0")
        try source.run(
            """
            client.shop.orders.insert_many([{"_id": n} for n in range(500)])
            client.shop.command("createRole", "clerk", privileges=[], roles=["read"])
            client.shop.command("createUser", "ann", pwd="secret", roles=["clerk"])
            """)
        let sidecar = try harness.startWithBackup()
        try harness.expect(0, ["mark", "first"])
        let first = try MongodHarness.state(source)
        try source.run("client.shop.orders.insert_one({'_id': 'later'})")
        try harness.expect(0, ["mark", "second"])
        #expect(try sidecar.terminate().isSuccess)
        return (harness, first)
    }

    private static func words(_ point: String, _ url: String) -> [String] {
        ["restore", "--to", "point:" + point, "--into", "lessons=" + url]
    }

    /// Runs a restore through `hold` and kills it there.
    private static func kill(_ harness: MongodHarness, _ hold: MongoHold) throws {
        let restore = try TidemarkProcess(
            words("first", hold.url) + ["--config", harness.config],
            environment: harness.environment, directory: harness.folder, user: harness.user)
        try hold.waitHeld(seconds: 120)
        restore.kill9()
    }

    @Test func `killed when its mark was gone it is known by the target's oplog`() async throws {
        try await offPool {
            let (harness, first) = try Self.archived()
            let target = try MongodServer.start()
            let removal = ["dropDatabase", "tidemark_restore"]
            let hold = try MongoHold(target.port, .answer, of: removal)
            try Self.kill(harness, hold)
            let left = try target.run("print(client.list_database_names())")
            #expect(left.contains("shop") && !left.contains("tidemark"), "\(left)")
            for _ in 0..<2 {
                let again = try harness.expect(0, Self.words("first", target.url))
                #expect(again.contains("was there already") && !again.contains("replayed"))
                try MongodHarness.expectSame(target, as: first)
            }
            let other = try harness.expect(2, Self.words("second", target.url))
            #expect(other.contains("has data") && other.contains("was ended in it"), "\(other)")
            #expect(!other.contains("this very restore"), "\(other)")
            try target.run("client.shop.orders.insert_one({'_id': 'of a client'})")
            let written = try harness.expect(2, Self.words("first", target.url))
            #expect(written.contains("it has been written to since"), "\(written)")
            #expect(written.contains("this very restore"), "\(written)")
            try target.run("client.drop_database('shop')")
            let emptied = try harness.expect(0, Self.words("first", target.url))
            #expect(emptied.contains("replayed"), "\(emptied)")
            try MongodHarness.expectSame(target, as: first)
        }
    }

    @Test func `a server that was started since is not taken for what it was`() async throws {
        try await offPool {
            let (harness, _) = try Self.archived()
            let target = try MongodServer.start()
            try harness.expect(0, Self.words("first", target.url))
            let again = try harness.expect(0, Self.words("first", target.url))
            #expect(again.contains("was there already"), "\(again)")
            // It may have stood alone meanwhile, where its oplog tells of no write.
            try target.stop()
            try target.start()
            let later = try harness.expect(2, Self.words("first", target.url))
            #expect(later.contains("has data"), "\(later)")
        }
    }

    @Test func `a server that stands alone is refused with how to know`() async throws {
        try await offPool {
            let (harness, _) = try Self.archived()
            let target = try MongodServer.start(MongodServer.Options(setName: nil))
            try harness.expect(0, Self.words("first", target.url))
            let again = try harness.expect(2, Self.words("first", target.url))
            #expect(again.contains("has data"), "\(again)")
            #expect(again.contains("an unfinished one leaves the database tidemark_restore"))
        }
    }

    @Test func `killed behind its users it takes none of them for the server's own`() async throws {
        try await offPool {
            let (harness, first) = try Self.archived()
            let target = try MongodServer.start()
            try target.run(
                "client.admin.command('createUser', 'ann', pwd='other', roles=['root'])")
            // The only write that asks for the journal says that all is there.
            let words = ["tidemark_restore", "complete", "writeConcern", "warnings"]
            let hold = try MongoHold(target.port, .question, of: words)
            try Self.kill(harness, hold)
            let names = "print(sorted(x['_id'] for x in client.admin.system.users.find()))"
            #expect(try target.run(names) == "['admin.ann', 'shop.ann']")
            let again = try harness.expect(0, Self.words("first", target.url))
            #expect(again.contains("goes on with an interrupted restore"), "\(again)")
            #expect(!again.contains("has its own"), "\(again)")
            try MongodHarness.expectSame(target, as: first)
            // One that is the server's is still told.
            try target.run("client.drop_database('shop')")
            try target.run("client.shop.command('updateUser', 'ann', pwd='new')")
            let own = try harness.expect(0, Self.words("first", target.url))
            #expect(own.contains("the server has its own user shop.ann"), "\(own)")
            #expect(!own.contains("own role"), "\(own)")
        }
    }
}
