import Model
import Mongo
import Platform
import TestKit
import Testing

/// A real mongod restored to points in time: what it has then is what it had, by its own hashes.
@Suite(.enabled(if: MongodHarness.isThere))
struct MongodPointTests {
    /// What was there between two phases of writes.
    private struct Moment {
        var name: String
        /// Of the last entry that wrote something.
        var optime: String
        /// By the server's clock, behind it.
        var time: String
        var state: String
    }

    /// What follows one another, as Python.
    private static let phases = [
        MongodWrites.documents, MongodWrites.structure,
        MongodWrites.files, MongodWrites.destruction, MongodWrites.afterwards,
    ]

    private static func moment(
        _ number: Int, _ harness: MongodHarness, _ server: MongodServer
    ) throws -> Moment {
        let told = try server.run(
            """
            newest = client.local["oplog.rs"].find({"op": {"$ne": "n"}}).sort("$natural", -1)
            ts = newest.limit(1)[0]["ts"]
            time = client.admin.command("isMaster")["localTime"]
            print("%d.%d" % (ts.time, ts.inc), time.isoformat(timespec="milliseconds") + "Z")
            """
        ).split(separator: " ").map(String.init)
        let state = try MongodHarness.state(server)
        try harness.expect(0, ["mark", "phase\(number)"])
        return Moment(name: "phase\(number)", optime: told[0], time: told[1], state: state)
    }

    /// Writes all phases under a sidecar, which has ended then.
    private static func archived(
        _ server: MongodServer
    ) throws -> (harness: MongodHarness, moments: [Moment]) {
        let harness = try MongodHarness(url: server.url + "/?replicaSet=rs0")
        try server.run(MongodWrites.before)
        let sidecar = try harness.startWithBackup()
        var moments: [Moment] = []
        for (number, phase) in phases.enumerated() {
            try server.run(phase)
            moments.append(try moment(number, harness, server))
        }
        try harness.waitProved()
        #expect(try sidecar.terminate().isSuccess)
        #expect(Set(moments.map(\.state)).count == phases.count)
        return (harness, moments)
    }

    /// Empties a server for the next restore.
    private static func empty(_ server: MongodServer) throws {
        try server.run(
            """
            for name in client.list_database_names():
                if name not in ("admin", "config", "local"): client.drop_database(name)
            """)
    }

    /// Whether a restore into it has come to its end: the last step takes away what tells of it, and
    /// one that is killed then does not live to say so.
    private static func isWhole(_ server: MongodServer) throws -> Bool {
        try server.run(
            """
            found = set(client.list_database_names()) - {"admin", "config", "local"}
            print(bool(found) and "tidemark_restore" not in found)
            """) == "True"
    }

    private static func expectDone(
        _ restore: TidemarkProcess, _ what: String, location: SourceLocation = #_sourceLocation
    ) throws {
        let told = "TIDEMARK_CRASH_SEED=\(MongodHarness.seed), \(what): \(restore.log)"
        try #require(
            restore.process.status?.isSuccess == true, "\(told)", sourceLocation: location)
    }

    @Test func `each point, optime and time of a real server's life comes back`() async throws {
        try await offPool {
            let source = try MongodServer.start()
            let (harness, moments) = try Self.archived(source)
            let target = try MongodServer.start()
            for moment in moments {
                try harness.restore(to: "point:" + moment.name, into: target)
                // What is said to be restored is durable.
                target.kill9()
                try target.start()
                try MongodHarness.expectSame(target, as: moment.state, "\(moment.name)")
                try Self.empty(target)
            }
            for (moment, stop) in [
                (moments[0], "optime:" + moments[0].optime), (moments[1], moments[1].time),
                (moments[3], "optime:" + moments[3].optime), (moments[2], moments[2].time),
            ] {
                try harness.restore(to: stop, into: target)
                try MongodHarness.expectSame(target, as: moment.state, "\(stop) \(moment.name)")
                try Self.empty(target)
            }
            let found = try harness.expect(0, ["find", "--match", "other"])
            let dropped = found.split(separator: "\n").first { $0.contains("dropDatabase") }
            let words = try #require(dropped, "\(found)").split(separator: " ")
            let event = try #require(words.first { $0.contains("-") && $0.count > 24 }, "\(found)")
            let dash = try #require(event.lastIndex(of: "-"))
            let number = try #require(UInt64(event[event.index(after: dash)...]))
            let wrong = "before:\(event[...dash])\(number - 1)"
            let refused = try harness.expect(
                3,
                ["restore", "--to", wrong, "--dry-run", "--into", harness.folder + "/wrong"])
            #expect(refused.contains("names no event") && refused.contains(event), "\(refused)")
            try harness.restore(to: "before:\(event)", into: target)
            try MongodHarness.expectSame(target, as: moments[2].state, "before the drop")
        }
    }

    @Test func `the archive holds the server's own entries, and a folder is what pymongo reads`()
        async throws
    {
        try await offPool {
            let source = try MongodServer.start()
            let (harness, _) = try Self.archived(source)
            #expect(try harness.hasEntries(of: source))
            try harness.expect(0, ["verify", "--deep"])
            let place = harness.folder + "/folder"
            try harness.expect(
                0, ["restore", "--to", "point:phase1", "--into", "lessons=" + place])
            let told = try source.run(
                """
                import glob, json
                names = sorted(glob.glob("\(place)/**/*.bson", recursive=True))
                found = {name: bson.decode_all(open(name, "rb").read()) for name in names}
                [json.load(open(name)) for name in glob.glob("\(place)/*/*.metadata.json")]
                entries = found["\(place)/oplog.bson"]
                print(entries[-1]["o"], len(found["\(place)/shop/before.bson"]), len(names) > 2)
                """)
            #expect(told.contains("phase1") && told.hasSuffix(" 100 True"), "\(told)")
        }
    }

    @Test func `a restore goes on to the same state when it or its server is killed`()
        async throws
    {
        try await offPool {
            let source = try MongodServer.start()
            let (harness, moments) = try Self.archived(source)
            let target = try MongodServer.start()
            let words = [
                "restore", "--to", "point:phase2", "--into", "lessons=" + target.url,
                "--config", harness.config,
            ]
            var random = SeededRandom(seed: MongodHarness.seed)
            print("the mongod restore test runs with TIDEMARK_CRASH_SEED=\(MongodHarness.seed)")
            for round in 0..<MongodHarness.rounds(6) {
                let restore = try TidemarkProcess(
                    words, environment: harness.environment, directory: harness.folder,
                    user: harness.user)
                let wait = Double.random(in: 0.1...1.2, using: &random)
                _ = Monitor(()).wait(seconds: wait) { _ in Bool?.none }
                // Nobody else ends it: by itself it has done everything.
                if !restore.isRunning { try Self.expectDone(restore, "round \(round)") }
                if round % 2 == 1 {
                    target.kill9()
                    // Whoever loses its server says so, and how to go on.
                    #expect(restore.process.wait(seconds: 60) != nil)
                    try target.start()
                }
                restore.kill9()
                let isWhole = try Self.isWhole(target)
                #expect(isWhole || restore.process.status?.isSuccess == false, "round \(round)")
                guard isWhole else { continue }
                try MongodHarness.expectSame(target, as: moments[2].state, "round \(round)")
                try Self.empty(target)
            }
            try harness.restore(to: "point:phase2", into: target)
            try MongodHarness.expectSame(
                target, as: moments[2].state, "TIDEMARK_CRASH_SEED=\(MongodHarness.seed)")
            let databases = try target.run("print(client.list_database_names())")
            #expect(!databases.contains("tidemark_restore"))
        }
    }
}
