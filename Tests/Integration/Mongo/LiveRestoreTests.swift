import Model
import Mongo
import Platform
import TestKit
import Testing

/// Restores into a live server: what it has afterwards is what the recorded one had.
struct LiveRestoreTests {
    @Test func `a live server gets the recorded state of every cut`() async throws {
        try await offPool {
            let harness = try ArchiveHarness.archived("shop")
            for cut in try harness.fixture.cuts() {
                let server = try SecantusServer.start()
                let said = try harness.expect(0, Self.restore(to: cut, server))
                #expect(said.contains("replayed"))
                // This server takes roles, but no users: who they are is said, and how to get them.
                #expect(said.contains("not restored") && said.contains("user admin."), "\(said)")
                #expect(said.contains("mongorestore --restoreDbUsersAndRoles"))
                let state = try LiveState(server)
                state.compare(cut, "shop at \(cut.name)")
                #expect(state.names.contains("admin.system.roles"))
            }
        }
    }

    @Test func `a base read while writers ran is replayed into one moment`() async throws {
        try await offPool {
            let harness = try ArchiveHarness.archived("fuzzy")
            let cut = try #require(try harness.fixture.cuts().last)
            let server = try SecantusServer.start()
            // A live server runs already: there is nothing to start.
            let said = try harness.expect(0, Self.restore(to: cut, server) + ["--start"])
            #expect(said.contains("replayed") && !said.contains("warning: replayed"), "\(said)")
            try LiveState(server).compare(cut, "fuzzy")
        }
    }

    @Test func `a restore that is killed again and again goes on to the same state`()
        async throws
    {
        try await offPool {
            let harness = try ArchiveHarness.archived("shop")
            let cut = try #require(try harness.fixture.cuts().first { $0.name == "mark" })
            let server = try SecantusServer.start()
            var isDone = false
            var kills = 0
            while !isDone, kills < 8 {
                let restore = try TidemarkProcess(
                    Self.restore(to: cut, server) + ["--config", harness.config],
                    environment: harness.environment, directory: harness.folder,
                    user: harness.user)
                harness.pause(Double.random(in: 0.2...2.5))
                isDone = !restore.isRunning
                restore.kill9()
                kills += 1
            }
            // Whoever was done before the first kill has left a whole server.
            if !isDone { try harness.expect(0, Self.restore(to: cut, server)) }
            try LiveState(server).compare(cut, "killed \(kills) times")
            let databases = try server.python("print(client.list_database_names())")
            #expect(!databases.contains("tidemark_restore"))
        }
    }

    @Test func `a server that has data, or half of another restore, is refused`() async throws {
        try await offPool {
            let harness = try ArchiveHarness.archived("fuzzy")
            let cut = try #require(try harness.fixture.cuts().last)
            let server = try SecantusServer.start()
            try server.python("client.shop.kept.insert_one({'_id': 1})")
            let full = try harness.expect(2, Self.restore(to: cut, server))
            #expect(full.contains("has data: shop.kept") && full.contains("--force"))
            #expect(try LiveState(server).names == ["shop.kept"])
            try server.python(
                """
                client.tidemark_restore.progress.insert_one({"_id": "restore", "source": "other",
                    "backup": "b", "timeline": "t", "position": bson.Timestamp(5, 1)})
                """)
            let half = try harness.expect(2, Self.restore(to: cut, server))
            #expect(half.contains("half filled by another restore: of other"))
            #expect(half.contains("dropDatabase"))
        }
    }

    @Test func `a server that is older than the archive is refused`() async throws {
        try await offPool {
            let harness = try ArchiveHarness("fuzzy")
            harness.double.state.update { $0.version = "9.0.1" }
            let sidecar = try harness.startWithBackup()
            #expect(try sidecar.terminate().isSuccess)
            let server = try SecantusServer.start()
            let said = try harness.expect(
                1, ["restore", "--to", "latest", "--into", "lessons=" + server.url])
            #expect(said.contains("is MongoDB 8.2.11, the archive is of 9.0.1"))
            #expect(said.contains("same or a newer version"))
        }
    }

    @Test func `a document of 16 MB passes from server to archive to server`() async throws {
        try await offPool {
            let harness = try ArchiveHarness("fuzzy")
            let place = Namespace("fuzz", "large")
            let most = (16 << 20) - 40
            let large = BSONDocument([
                ("_id", .int32(1)), ("b", .binary([UInt8](repeating: 7, count: most))),
            ])
            harness.double.state.update { state in
                var stored = MongoDoubleState.Stored()
                stored.documents = [large, BSONDocument([("_id", .int32(2))])]
                state.collections[place] = stored
            }
            let sidecar = try harness.startWithBackup()
            harness.double.writeAll()
            try harness.waitArchived()
            #expect(try sidecar.terminate().isSuccess)
            let server = try SecantusServer.start()
            try harness.expect(
                0, ["restore", "--to", "latest", "--into", "lessons=" + server.url])
            let told = try server.python(
                """
                d = client.fuzz.large.find_one({"_id": 1})
                print(len(bson.encode(d)), set(d["b"]), client.fuzz.large.count_documents({}))
                """)
            #expect(told == "\(large.bytes.count) {7} 2")
        }
    }

    private static func restore(
        to cut: MongoFixture.Cut, _ server: SecantusServer
    ) -> [String] {
        ["restore", "--to", "optime:\(cut.ts)", "--into", "lessons=" + server.url]
    }
}
