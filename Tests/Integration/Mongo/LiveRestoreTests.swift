import Glibc
import Model
import Mongo
import Platform
import TestKit
import Testing

/// Restores into a live server: what it has afterwards is what the recorded one had.
struct LiveRestoreTests {
    /// 6; `TIDEMARK_CRASH_ROUNDS` says otherwise.
    private static let rounds =
        getenv("TIDEMARK_CRASH_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 6

    /// `TIDEMARK_CRASH_SEED` repeats a run's pauses.
    private static let seed =
        getenv("TIDEMARK_CRASH_SEED").flatMap { UInt64(String(cString: $0)) }
        ?? UInt64.random(in: 1...1_000_000_000)

    @Test(arguments: LiveMongoKind.targets)
    func `a live server gets the recorded state of every cut`(_ kind: LiveMongoKind) async throws {
        try await offPool {
            let harness = try ArchiveHarness.archived("shop")
            for cut in try harness.fixture.cuts() {
                let server = try kind.start()
                let said = try harness.expect(0, Self.restore(to: cut, server))
                #expect(said.contains("replayed"))
                let state = try LiveState(server)
                state.compare(cut, "shop at \(cut.name)")
                #expect(state.names.contains("admin.system.roles"))
                if kind == .mongod {
                    #expect(state.names.contains("admin.system.users"))
                    continue
                }
                // SecantusDB takes roles, but no users: who they are is said, and how to get them.
                #expect(said.contains("not restored") && said.contains("user admin."), "\(said)")
                #expect(said.contains("mongorestore --nsInclude"))
            }
        }
    }

    @Test(arguments: LiveMongoKind.targets)
    func `a base read while writers ran is replayed into one moment`(
        _ kind: LiveMongoKind
    ) async throws {
        try await offPool {
            let harness = try ArchiveHarness.archived("fuzzy")
            let cut = try #require(try harness.fixture.cuts().last)
            let server = try kind.start()
            // A live server runs already: there is nothing to start.
            let said = try harness.expect(0, Self.restore(to: cut, server) + ["--start"])
            #expect(said.contains("replayed") && !said.contains("warning: replayed"), "\(said)")
            try LiveState(server).compare(cut, "fuzzy")
        }
    }

    @Test(arguments: LiveMongoKind.targets)
    func `a restore that is killed at random moments goes on to the same state`(
        _ kind: LiveMongoKind
    ) async throws {
        try await offPool {
            let harness = try ArchiveHarness.archived("shop")
            let cut = try #require(try harness.fixture.cuts().first { $0.name == "mark" })
            let server = try kind.start()
            var isDone = false
            var kills = 0
            var random = SeededRandom(seed: Self.seed)
            print("\(Self.rounds) rounds with TIDEMARK_CRASH_SEED=\(Self.seed)")
            while !isDone, kills < Self.rounds {
                let restore = try TidemarkProcess(
                    Self.restore(to: cut, server) + ["--config", harness.config],
                    environment: harness.environment, directory: harness.folder,
                    user: harness.user)
                harness.pause(Double.random(in: 0.1...2.5, using: &random))
                isDone = !restore.isRunning
                restore.kill9()
                kills += 1
            }
            // Whoever was done before the first kill has left a whole server.
            if !isDone { try harness.expect(0, Self.restore(to: cut, server)) }
            try LiveState(server).compare(
                cut, "killed \(kills) times, TIDEMARK_CRASH_SEED=\(Self.seed)")
            let databases = try server.run("print(client.list_database_names())")
            #expect(!databases.contains("tidemark_restore"))
        }
    }

    @Test(arguments: LiveMongoKind.targets)
    func `a server that has data, or half of another restore, is refused`(
        _ kind: LiveMongoKind
    ) async throws {
        try await offPool {
            let harness = try ArchiveHarness.archived("fuzzy")
            let cut = try #require(try harness.fixture.cuts().last)
            let server = try kind.start()
            try server.run("client.shop.kept.insert_one({'_id': 1})")
            let full = try harness.expect(2, Self.restore(to: cut, server))
            #expect(full.contains("has data: shop.kept") && full.contains("--force"))
            #expect(try LiveState(server).names == ["shop.kept"])
            try server.run(
                """
                client.tidemark_restore.progress.insert_one({"_id": "restore", "source": "other",
                    "backup": "b", "timeline": "t", "position": bson.Timestamp(5, 1)})
                """)
            let half = try harness.expect(2, Self.restore(to: cut, server))
            #expect(half.contains("half filled by another restore: of other"))
            #expect(half.contains("give --force to replace what is there"))
        }
    }

    @Test(arguments: LiveMongoKind.there)
    func `a server that is older than the archive is refused`(
        _ kind: LiveMongoKind
    ) async throws {
        try await offPool {
            let harness = try ArchiveHarness("fuzzy")
            harness.double.state.update { $0.version = "99.0.1" }
            let sidecar = try harness.startWithBackup()
            #expect(try sidecar.terminate().isSuccess)
            let server = try kind.start()
            let said = try harness.expect(
                1, ["restore", "--to", "latest", "--into", "lessons=" + server.url])
            let version = try server.run("print(client.server_info()['version'])")
            #expect(said.contains("is MongoDB \(version), the archive is of 99.0.1"))
            #expect(said.contains("same or a newer version"))
        }
    }

    @Test(arguments: LiveMongoKind.targets)
    func `a document of 16 MB passes from server to archive to server`(
        _ kind: LiveMongoKind
    ) async throws {
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
            let server = try kind.start()
            try harness.expect(
                0, ["restore", "--to", "latest", "--into", "lessons=" + server.url])
            let told = try server.run(
                """
                d = client.fuzz.large.find_one({"_id": 1})
                print(len(bson.encode(d)), set(d["b"]), client.fuzz.large.count_documents({}))
                """)
            #expect(told == "\(large.bytes.count) {7} 2")
        }
    }

    private static func restore(
        to cut: MongoFixture.Cut, _ server: any LiveMongo
    ) -> [String] {
        ["restore", "--to", "optime:\(cut.ts)", "--into", "lessons=" + server.url]
    }
}
