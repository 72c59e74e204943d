import Model
import Mongo
import Platform
import TestKit
import Testing

/// Change streams of a live server: archived while it is written to, and restored.
struct ChangeStreamTests {
    /// Writes of every kind that change streams tell; the last leaves one document.
    private static let load = """
        db = client.school
        for n in range(200):
            db.pupils.insert_one({"_id": n, "name": "pupil %d" % n, "marks": [1, 2, 3, 4]})
        for n in range(0, 200, 3):
            db.pupils.update_one({"_id": n}, {"$set": {"age": n % 12, "home.street": "x"}})
        for n in range(0, 200, 7):
            db.pupils.replace_one({"_id": n}, {"name": "replaced"})
        for n in range(0, 200, 10):
            db.pupils.delete_one({"_id": n})
        with client.start_session() as session:
            for n in range(20):
                with session.start_transaction():
                    for m in range(5):
                        db.visits.insert_one({"_id": n * 5 + m, "n": n}, session=session)
        db.pupils.create_index("name", name="by name")
        db.create_collection("log", capped=True, size=8192)
        db.log.insert_one({"_id": "only"})

        """

    /// The newer of the two modes that a server can be archived in: the option of its URL, and the
    /// file that a restore writes.
    private static func newest(_ kind: LiveMongoKind) -> (option: String, file: String) {
        LiveMongoKind.withChangeStreams.contains(kind)
            ? ("mode=changeStream", "changes.bson") : ("mode=oplog", "oplog.bson")
    }

    @Test(arguments: LiveMongoKind.withChangeStreams)
    func `events are archived as they come, and restored to a folder`(
        _ kind: LiveMongoKind
    ) async throws {
        try await offPool {
            let harness = try LiveHarness(kind, "mode=changeStream")
            try harness.server.run(
                "client.school.before.insert_many([{'_id': n} for n in range(10)])")
            let sidecar = try harness.startWithBackup()
            try harness.server.run(Self.load)
            try harness.waitProved()
            let all = try harness.archived()
            let events = all.filter { $0["operationType"]?.string != "tidemark progress" }
            let visits = events.filter { $0["ns"]?.document?["coll"]?.string == "visits" }
            #expect(visits.count == 100)
            let inserted = events.count { $0["operationType"]?.string == "insert" }
            #expect(inserted == 200 + 100 + 1)
            // In the order of the server's own time.
            let times = all.compactMap { $0["clusterTime"]?.timestamp }
            #expect(times.count == all.count && times == times.sorted())
            let (folder, stream) = try harness.restore(
                to: "latest", name: "whole", file: "changes.bson")
            #expect(stream.filter { $0["operationType"]?.string != "tidemark progress" } == events)
            #expect(try harness.documents(folder + "/school/before.bson").count == 10)
            let first = try #require(events[40]["clusterTime"]?.timestamp)
            let exported = harness.folder + "/exported"
            try harness.expect(
                0,
                [
                    "export", "lessons", "--from", "optime:\(first)", "--to", "latest", "--into",
                    exported,
                ])
            let taken = try harness.documents(exported + "/changes.bson").filter {
                $0["operationType"]?.string != "tidemark progress"
            }
            #expect(taken == events.filter { $0["clusterTime"]?.timestamp ?? .zero > first })
            #expect(taken.count > 100)
            let status = try harness.status()
            #expect(status.state == "streaming")
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test(arguments: LiveMongoKind.there)
    func `kills of the sidecar and restarts of the server lose nothing`(
        _ kind: LiveMongoKind
    ) async throws {
        try await offPool {
            let harness = try LiveHarness(kind, Self.newest(kind).option)
            try harness.startWithBackup().kill9()
            for step in 0..<4 {
                let sidecar = try harness.start()
                try sidecar.waitForLog("stream opened", seconds: 60)
                try harness.server.run(
                    """
                    for n in range(\(step) * 100, \(step) * 100 + 100):
                        client.school.pupils.insert_one({"_id": n})
                    """)
                if step % 2 == 1 {
                    // Cursors die with the server.
                    try harness.server.restart()
                    try harness.server.run("client.school.pupils.insert_one({'_id': -\(step)})")
                    try harness.waitProved()
                }
                sidecar.kill9()
            }
            let sidecar = try harness.start()
            try harness.waitProved()
            let ids = try harness.events().compactMap { event -> Int64? in
                // An event, or an entry of the oplog.
                if event["ns"]?.string == "school.pupils" {
                    return event["op"]?.string == "i"
                        ? event["o"]?.document?["_id"]?.integer : nil
                }
                return event["documentKey"]?.document?["_id"]?.integer
            }
            #expect(ids.count == 402 && Set(ids).count == 402)
            #expect(try harness.status().gaps.isEmpty)
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test(arguments: LiveMongoKind.there)
    func `a history that the server has dropped is a gap with a new base behind it`(
        _ kind: LiveMongoKind
    ) async throws {
        try await offPool {
            let newest = Self.newest(kind)
            let harness = try LiveHarness(kind, newest.option, [.smallOplog])
            let first = try harness.startWithBackup()
            try harness.server.run(
                "for n in range(10): client.school.pupils.insert_one({'_id': n})")
            try harness.waitProved()
            #expect(try first.terminate().isSuccess)
            let end = try #require(OpTime(harness.status().archivedPosition ?? ""))
            let count = try harness.server.run(
                """
                import time
                number, end = 10, time.monotonic() + 110
                while True:
                    client.school.pupils.insert_many(
                        [{"_id": n, "pad": "x" * 2000} for n in range(number, number + 200)])
                    number += 200
                    oldest = client.local["oplog.rs"].find().sort("$natural", 1).limit(1)[0]["ts"]
                    if (oldest.time, oldest.inc) > (\(end.seconds), \(end.increment)): break
                    if time.monotonic() > end: raise Exception("the oplog does not roll over")
                print(number)
                """)
            let second = try harness.start()
            try second.waitForLog("gap in the archive", seconds: 60)
            try second.waitForLog("base backup finished", seconds: 60)
            try harness.waitProved()
            let gaps = try harness.status().gaps
            #expect(gaps.count == 1)
            // Whoever wants a moment inside it is told, before anything is touched.
            let inside = OpTime(ordinal: try #require(OpTime(gaps[0].first)).ordinal + 1)
            let lost = try harness.expect(
                3, ["restore", "--to", "optime:\(inside)", "--into", harness.folder + "/lost"])
            #expect(lost.contains("gap"), "\(lost)")
            let (folder, _) = try harness.restore(
                to: "latest", name: "behind", file: newest.file)
            let documents = try harness.documents(folder + "/school/pupils.bson").count
            #expect(count == "\(documents)")
            #expect(try second.terminate().isSuccess)
        }
    }

    @Test(arguments: LiveMongoKind.there)
    func `the oplog of another server is archived and restored as it is`(
        _ kind: LiveMongoKind
    ) async throws {
        try await offPool {
            let harness = try LiveHarness(kind, "mode=oplog", [.quickNoops])
            let sidecar = try harness.startWithBackup()
            try harness.server.run(
                """
                for n in range(300):
                    client.school.pupils.insert_one({"_id": n})
                for n in range(0, 300, 2):
                    client.school.pupils.delete_one({"_id": n})
                """)
            try harness.waitProved()
            let (folder, oplog) = try harness.restore(
                to: "latest", name: "oplog", file: "oplog.bson")
            let mine = oplog.filter { $0["ns"]?.string == "school.pupils" }
            #expect(mine.count { $0["op"]?.string == "i" } == 300)
            #expect(mine.count { $0["op"]?.string == "d" } == 150)
            let archived = try harness.archived()
            #expect(Set(oplog).isSubset(of: Set(archived)), "\(folder)")
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    @Test(arguments: LiveMongoKind.withoutChangeStreams)
    func `a server without change streams of everything is refused by its version`(
        _ kind: LiveMongoKind
    ) async throws {
        try await offPool {
            let harness = try LiveHarness(kind, "mode=changeStream")
            let version = try harness.server.run("print(client.server_info()['version'])")
            let part = "change streams of MongoDB \(version) cannot be gone on with exactly"
            let checked = try harness.expect(5, ["check"])
            #expect(checked.contains(part), "\(checked)")
            #expect(checked.contains("write mode=oplog") && checked.contains("need 4.2"))
            let sidecar = try harness.start()
            try sidecar.waitForLog("is \(version), whose change streams", seconds: 60)
            try sidecar.waitForLog("need 4.2", seconds: 60)
            #expect(!sidecar.log.contains("base backup starts"))
            // One that is refused at its start may have ended by itself.
            #expect([.exited(0), .exited(5)].contains(try sidecar.terminate()))
            // What is told to be written helps.
            try harness.configure("mode=oplog")
            try harness.expect(0, ["check"])
        }
    }

    @Test func `an oplog that never comes to the end it tells of is refused, not waited for`()
        async throws
    {
        try await offPool {
            // Without no-ops its clock runs on, and its oplog does not.
            let harness = try LiveHarness(.secantus, "mode=oplog")
            try harness.server.run("client.school.pupils.insert_one({'_id': 1})")
            let checked = try harness.expect(5, ["check"])
            #expect(checked.contains("its oplog ends at"), "\(checked)")
            let sidecar = try harness.start()
            try sidecar.waitForLog("its oplog ends at", seconds: 60)
            try sidecar.waitForLog("mode=changeStream", seconds: 60)
            #expect(!sidecar.log.contains("base backup starts"))
            // One that is refused at its start may have ended by itself.
            #expect([.exited(0), .exited(5)].contains(try sidecar.terminate()))
        }
    }
}
