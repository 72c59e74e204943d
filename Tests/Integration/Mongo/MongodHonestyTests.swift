import Model
import Mongo
import Platform
import TestKit
import Testing

/// The number that is shown is never too good: what a restore brings back is no older than that.
@Suite(.serialized, .enabled(if: MongodHarness.isThere), .timeLimit(.minutes(60)))
struct MongodHonestyTests {
    /// Rounds after which a base backup is taken anew, under load: a restore replays no more than
    /// those.
    private static let backupRounds = 8

    @Test func `sidecar and mongod killed under load, no more is lost than was shown`()
        async throws
    {
        try await offPool {
            let comment = Comment(rawValue: "TIDEMARK_HONESTY_SEED=\(ShownExposure.seed)")
            let server = try MongodServer.start()
            let port = try freePort()
            let harness = try MongodHarness(
                url: server.url + "/?replicaSet=rs0", listen: "127.0.0.1:\(port)")
            var random = SeededRandom(seed: ShownExposure.seed)
            for round in 0..<ShownExposure.rounds {
                if round > 0 { try server.start() }
                let client = try OrderlyClient(server, first: round * 1_000_000)
                let sidecar = try round == 0 ? harness.startWithBackup() : harness.start()
                try LoopbackHTTP.waitHealth(port)
                if round > 0, round % Self.backupRounds == 0 { try harness.expect(0, ["backup"]) }
                let owed = try ShownExposure.owed(
                    after: Double.random(in: 0.3...2.5, using: &random), port: port
                ) { try client.acknowledged() }
                try ShownExposure.killBoth(sidecar, using: &random) { server.kill9() }
                try client.end()
                let target = try MongodServer.start()
                try harness.restore(to: "latest", into: target)
                let missing = try target.run(
                    """
                    have = set(x["_id"] for x in client.load.documents.find({}, {"_id": 1}))
                    print(len(set(\(owed)) - have))
                    """)
                #expect(missing == "0", comment)
            }
        }
    }
}

/// Inserts as fast as one client can that waits for each answer, and notes the answers; ends with
/// its server.
private final class OrderlyClient {
    private let scratch: ScratchDirectory
    private let work: DedicatedThread<String>
    private var output: String { scratch.path + "/acknowledged" }

    init(_ server: MongodServer, first: Int) throws {
        scratch = try ScratchDirectory()
        let script = """
            import os
            from pymongo.errors import PyMongoError
            client = pymongo.MongoClient("\(server.url)/?directConnection=true",
                retryWrites=False, serverSelectionTimeoutMS=500)
            place = client.load.documents.with_options(
                write_concern=pymongo.WriteConcern("majority", j=True))
            key = \(first)
            with open("\(scratch.path)/acknowledged", "w") as file:
                while not os.path.exists("\(scratch.path)/stop"):
                    try:
                        place.insert_one({"_id": key, "pad": "x" * (key % 700)})
                        file.write(f"{key}\\n")
                        file.flush()
                    except PyMongoError: pass
                    key += 1
            """
        work = DedicatedThread("client") { () throws(TidemarkError) in try server.run(script) }
        try eventually("the client has its first answers") {
            namesInside(scratch.path).contains("acknowledged")
        }
    }

    /// The `_id`s that were answered up to now; a half-written last line does not count.
    func acknowledged() throws -> [Int] {
        let text = try Subprocess.run("cat", [output], seconds: 20).output
        let end = text.lastIndex(of: "\n") ?? text.startIndex
        return text[..<end].split(separator: "\n").compactMap { Int($0) }
    }

    func end() throws {
        try Subprocess.run("touch", [scratch.path + "/stop"], seconds: 10)
        _ = try work.join()
    }
}
