import FoundationEssentials
import Model
import Mongo
import Platform
import TestKit
import Testing

/// Change streams of a live server, and each kind of target, into a live server and into a folder.
/// Before 6.0 they tell of no index and no option, so a copy has fewer than its source.
struct ChangeTargetTests {
    /// What is there before anything is archived.
    private static let before = """
        db = client.school
        db.pupils.insert_many([
            {"_id": n, "name": "pupil %d" % n, "n": {"m": n}} for n in range(50)])
        db.pupils.create_index("name", name="by name")
        db.create_collection("log", capped=True, size=65536, max=20)
        """

    /// Changes of every kind, in school and elsewhere.
    private static let lessons = """
        db = client.school
        for n in range(50, 120):
            db.pupils.insert_one({"_id": n, "name": "pupil %d" % n, "marks": [1, 2, 3, 4]})
        db.pupils.update_many({"_id": {"$lt": 30}}, {"$set": {"n.k": "x", "age": 7}})
        db.pupils.update_many({"_id": {"$gte": 100}}, {"$pop": {"marks": 1}, "$unset": {"name": 1}})
        db.pupils.replace_one({"_id": 3}, {"name": "replaced"})
        db.pupils.delete_many({"_id": {"$in": [5, 6, 7]}})
        for n in range(30):
            db.log.insert_one({"_id": n, "line": "x" * n})
        with client.start_session() as session:
            for n in range(10):
                with session.start_transaction():
                    for m in range(4):
                        db.visits.insert_one({"_id": n * 4 + m, "n": n}, session=session)
        db.visits.create_index([("n", 1), ("_id", -1)], name="by n")
        db.rooms.insert_one({"_id": 1})
        db.rooms.rename("halls")
        db.halls.insert_one({"_id": 2})
        client.library.books.insert_many([{"_id": "b%d" % n} for n in range(25)])
        """

    private static let homework = """
        db = client.school
        db.pupils.update_many({}, {"$set": {"homework": True}})
        with client.start_session() as session:
            with session.start_transaction():
                for n in range(40):
                    db.visits.delete_one({"_id": n}, session=session)
                db.halls.insert_one({"_id": 3}, session=session)
        """

    /// The place of the newest write, as a target.
    private func place(_ server: any LiveMongo) throws -> String {
        let told = try server.run(
            """
            ts = client.admin.command("isMaster")["lastWrite"]["opTime"]["ts"]
            print("optime:%d.%d" % (ts.time, ts.inc))
            """)
        return told
    }

    @Test(arguments: LiveMongoKind.withExpandedEvents)
    func `each kind of target brings back what the server had then`(
        _ kind: LiveMongoKind
    ) async throws {
        try await offPool {
            let harness = try LiveHarness(kind, "mode=changeStream")
            let server = harness.server
            try server.run(Self.before)
            let sidecar = try harness.startWithBackup()
            try server.run(Self.lessons)
            let first = try LiveContent(server)
            try harness.waitProved()
            let moment = try #require(try harness.status().restorableTo)
            try harness.expect(0, ["mark", "half-term"])
            try server.run(Self.homework)
            let second = try LiveContent(server)
            let place = try place(server)
            try server.run("client.school.pupils.drop()")
            try server.run("client.library.books.delete_many({})")
            try server.run("client.drop_database('library')")
            let last = try LiveContent(server)
            #expect(Set([first, second, last]).count == 3 && !last.has("school.pupils"))
            try harness.waitProved()
            let drop = try event("drop", "school.pupils", harness)

            for (target, wanted) in [
                ("latest", last), (moment, first), ("point:half-term", first), (place, second),
                ("before:" + drop, second),
            ] {
                let empty = try kind.start()
                let said = try harness.expect(
                    0, ["restore", "--to", target, "--into", "lessons=" + empty.url])
                #expect(try LiveContent(empty) == wanted, "\(target): \(said)")
                #expect(!said.contains("may be damaged"), "\(target): \(said)")
            }
            try folders(harness, moment: moment, place: place, drop: drop)
            #expect(try harness.status().state == "streaming")
            #expect(try sidecar.terminate().isSuccess)
            try harness.expect(0, ["verify", "--deep"])
        }
    }

    @Test(arguments: LiveMongoKind.withExpandedEvents)
    func `an idle source is proved, and what the mode lacks is said before a restore`(
        _ kind: LiveMongoKind
    ) async throws {
        try await offPool {
            let harness = try LiveHarness(kind, "mode=changeStream")
            let server = harness.server
            try server.run(Self.before)
            let sidecar = try harness.startWithBackup()
            // Nothing is written from here on.
            try harness.waitProved()
            let first = try #require(try harness.status().restorableTo)
            try harness.waitProved()
            let second = try harness.status()
            #expect(try #require(second.restorableTo) > first)
            #expect(second.state == "streaming" && second.objective == "met")
            let lack = "change streams carry no users and roles"
            let checked = try harness.expect(0, ["check"])
            #expect(checked.contains(lack), "\(checked)")
            #expect(!checked.contains("before 6.0"), "\(checked)")
            let empty = try kind.start()
            for destination in [empty.url, harness.folder + "/folder"] {
                let words = ["restore", "--to", first, "--into", "lessons=" + destination]
                let planned = try harness.expect(0, words + ["--dry-run"])
                #expect(planned.contains(lack), "\(planned)")
                #expect(planned.contains("convertToCapped"), "\(planned)")
                let done = try harness.expect(0, words)
                #expect(done.ranges(of: lack).count == 1, "\(done)")
            }
            // A time between the base backup and the first event behind it is there as well.
            try server.run("client.school.pupils.drop()")
            try harness.waitProved()
            let again = try kind.start()
            try harness.expect(
                0, ["restore", "--to", first, "--into", "lessons=" + again.url])
            #expect(try LiveContent(again) == LiveContent(empty))
            #expect(try LiveContent(again).has("school.pupils"))
            #expect(try sidecar.terminate().isSuccess)
        }
    }

    /// The same into folders: the dump, and events up to the target and not further.
    private func folders(
        _ harness: LiveHarness, moment: String, place: String, drop: String
    ) throws {
        var counts: [Int] = []
        for (target, name) in [
            (moment, "moment"), ("point:half-term", "point"), (place, "place"),
            ("before:" + drop, "before"), ("latest", "latest"),
        ] {
            let (folder, stream) = try harness.restore(
                to: target, name: name, file: "changes.bson")
            #expect(try harness.documents(folder + "/school/pupils.bson").count == 50)
            let events = stream.filter { $0["operationType"]?.string != "tidemark progress" }
            counts.append(events.count)
            let drops = events.count { $0["operationType"]?.string == "drop" }
            #expect((drops > 0) == (name == "latest"), "\(name)")
        }
        #expect(counts[0] == counts[1] && counts[1] < counts[2], "\(counts)")
        #expect(counts[2] == counts[3] && counts[3] < counts[4], "\(counts)")
    }

    private struct Found: Decodable {
        struct Event: Decodable {
            var id: String
            var action: String
            var place: String
        }
        var events: [Event]
    }

    private func event(
        _ action: String, _ place: String, _ harness: LiveHarness
    ) throws -> String {
        let done = try harness.tidemark(["find", "--json"])
        let events = try JSONDecoder().decode(Found.self, from: Data(done.output.utf8)).events
        let found = events.first { $0.action == action && $0.place == place }
        return try #require(found, "\(done.output)\(done.errors)").id
    }
}
