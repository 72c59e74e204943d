import Model
import Mongo
import TestKit
import Testing

/// A restore into a live server that is killed at its very end, when everything is there and only
/// its own mark is to be taken away.
struct RestoreEndTests {
    private static let removal = ["dropDatabase", "tidemark_restore"]

    private static func restore(to target: String, _ url: String) -> [String] {
        ["restore", "--to", target, "--into", "lessons=" + url]
    }

    /// Runs a restore through `hold` and kills it there, when it has told its result.
    private static func kill(
        _ harness: ArchiveHarness, to target: String, _ hold: MongoHold
    ) throws {
        let restore = try TidemarkProcess(
            Self.restore(to: target, hold.url) + ["--config", harness.config],
            environment: harness.environment, directory: harness.folder, user: harness.user)
        try hold.waitHeld(seconds: 120)
        // It writes nothing more now: what has not come yet was written before.
        try restore.waitForLog("replayed")
        restore.kill9()
    }

    private static func port(_ server: any LiveMongo) throws -> Int {
        try #require(server.url.split(separator: ":").last.flatMap { Int($0) })
    }

    private static func databases(_ server: any LiveMongo) throws -> String {
        try server.run("print(client.list_database_names())")
    }

    @Test(arguments: LiveMongoKind.targets)
    func `given again it ends at once, and no other moment is taken for it`(
        _ kind: LiveMongoKind
    ) async throws {
        try await offPool {
            let harness = try ArchiveHarness.archived("shop")
            let cuts = try harness.fixture.cuts()
            let cut = try #require(cuts.first { $0.name == "mark" })
            let server = try kind.start()
            let hold = try MongoHold(try Self.port(server), .question, of: Self.removal)
            try Self.kill(harness, to: "optime:\(cut.ts)", hold)
            #expect(try Self.databases(server).contains("tidemark_restore"))
            let later = try #require(cuts.last)
            #expect(later.ts != cut.ts)
            let refused = try harness.expect(2, Self.restore(to: "optime:\(later.ts)", server.url))
            #expect(refused.contains("is filled by another restore"), "\(refused)")
            #expect(refused.contains("--to optime:\(cut.ts)"), "\(refused)")
            let again = try harness.expect(0, Self.restore(to: "optime:\(cut.ts)", server.url))
            #expect(again.contains("was there already"), "\(again)")
            #expect(!again.contains("replayed"), "\(again)")
            try LiveState(server).compare(cut, "killed at its end")
            #expect(try !Self.databases(server).contains("tidemark_restore"))
        }
    }

    @Test(arguments: LiveMongoKind.targets)
    func `killed when its mark was gone it has told its result, and left the copy alone`(
        _ kind: LiveMongoKind
    ) async throws {
        try await offPool {
            let harness = try ArchiveHarness.archived("shop")
            let cut = try #require(try harness.fixture.cuts().first { $0.name == "mark" })
            let server = try kind.start()
            let hold = try MongoHold(try Self.port(server), .answer, of: Self.removal)
            try Self.kill(harness, to: "optime:\(cut.ts)", hold)
            #expect(try !Self.databases(server).contains("tidemark_restore"))
            try LiveState(server).compare(cut, "killed behind its end")
        }
    }
}
