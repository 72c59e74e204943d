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

    @Test func `events are archived as they come, and restored to a folder`() async throws {
        try await offPool {
            let harness = try LiveHarness("mode=changeStream")
            try harness.server.python(
                "client.school.before.insert_many([{'_id': n} for n in range(10)])")
            let sidecar = try harness.startWithBackup()
            try harness.server.python(Self.load)
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

    @Test func `kills of the sidecar and restarts of the server lose nothing`() async throws {
        try await offPool {
            let harness = try LiveHarness("mode=changeStream")
            try harness.startWithBackup().kill9()
            for step in 0..<4 {
                let sidecar = try harness.start()
                try sidecar.waitForLog("stream opened", seconds: 60)
                try harness.server.python(
                    """
                    for n in range(\(step) * 100, \(step) * 100 + 100):
                        client.school.pupils.insert_one({"_id": n})
                    """)
                if step % 2 == 1 {
                    // Cursors die with the server.
                    try harness.server.stop()
                    try harness.server.start()
                    try harness.server.python("client.school.pupils.insert_one({'_id': -\(step)})")
                    try harness.waitProved()
                }
                sidecar.kill9()
            }
            let sidecar = try harness.start()
            try harness.waitProved()
            let ids = try harness.events().compactMap {
                $0["documentKey"]?.document?["_id"]?.integer
            }
            #expect(ids.count == 402 && Set(ids).count == 402)
            #expect(try harness.status().gaps.isEmpty)
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test func `a history that the server has dropped is a gap with a new base behind it`()
        async throws
    {
        try await offPool {
            let harness = try LiveHarness("mode=changeStream", ["--oplog-max-entries", "60"])
            let first = try harness.startWithBackup()
            try harness.server.python(
                "for n in range(10): client.school.pupils.insert_one({'_id': n})")
            try harness.waitProved()
            #expect(try first.terminate().isSuccess)
            try harness.server.python(
                "for n in range(10, 1500): client.school.pupils.insert_one({'_id': n})")
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
                to: "latest", name: "behind", file: "changes.bson")
            #expect(try harness.documents(folder + "/school/pupils.bson").count == 1500)
            #expect(try second.terminate().isSuccess)
        }
    }

    @Test func `the oplog of another server is archived and restored as it is`() async throws {
        try await offPool {
            let harness = try LiveHarness("mode=oplog", ["--noop-heartbeat-seconds", "1"])
            let sidecar = try harness.startWithBackup()
            try harness.server.python(
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

    @Test func `an oplog that never comes to the end it tells of is refused, not waited for`()
        async throws
    {
        try await offPool {
            // Without no-ops its clock runs on, and its oplog does not.
            let harness = try LiveHarness("mode=oplog")
            try harness.server.python("client.school.pupils.insert_one({'_id': 1})")
            let checked = try harness.expect(5, ["check"])
            #expect(checked.contains("its oplog ends at"), "\(checked)")
            let sidecar = try harness.start()
            try sidecar.waitForLog("its oplog ends at", seconds: 60)
            try sidecar.waitForLog("mode=changeStream", seconds: 60)
            #expect(!sidecar.log.contains("base backup starts"))
            #expect(try sidecar.terminate().isSuccess)
        }
    }
}
