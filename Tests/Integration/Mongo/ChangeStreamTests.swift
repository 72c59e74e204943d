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
            let status = try harness.status()
            #expect(status.state == "streaming")
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }
}
