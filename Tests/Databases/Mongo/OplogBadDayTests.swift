import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// Bad days of a source whose oplog is read: each has a message, and a remedy that helps.
@Suite struct OplogBadDayTests {
    private func room(_ double: MongoDouble, url: String? = nil) throws -> MongoRoom {
        MongoRoom(
            try MongoConfiguration(source: SourceID("lessons")!, url: url ?? double.url),
            time: SystemTimeSource())
    }

    private func double(_ count: Int = 50) throws -> MongoDouble {
        try MongoDouble(entries: Array(MongoFixture("shop").oplog().prefix(count)))
    }

    private func refusal(_ room: MongoRoom, descriptor: SourceDescriptor? = nil) -> TidemarkError? {
        let stream = room.stream()
        defer { stream.close() }
        return #expect(throws: TidemarkError.self) {
            try stream.open(ResumePoint(descriptor: descriptor, end: nil))
        }
    }

    private func pull(
        _ stream: any ChangeSource, _ sink: RecordingSink, to end: UInt64
    ) throws {
        let time = SystemTimeSource()
        try eventually("the stream comes to \(OpTime(ordinal: end))", seconds: 60) {
            _ = try stream.pull(until: time.monotonic().advanced(bySeconds: 0.2), into: sink)
            return sink.position >= end
        }
    }

    @Test func `a set of another name is not taken for the one in the url`() async throws {
        try await offPool {
            let double = try double()
            let url = "mongodb://127.0.0.1:\(double.port)/"
            let wrong = url + "?replicaSet=other&serverSelectionTimeoutMS=1500"
            let error = refusal(try room(double, url: wrong))
            #expect(
                error?.remedy.contains("replicaSet=rs0") == true, "\(String(describing: error))")
            #expect(error?.message.contains("belongs to replica set rs0") == true)
            // Talked to directly, it says its name.
            let hello = Hello(
                BSONDocument([("setName", .string("rs0")), ("ismaster", .bool(true))]))
            let configuration = try MongoConfiguration(source: SourceID("lessons")!, url: wrong)
            let named = #expect(throws: TidemarkError.self) {
                try Membership.check(hello, configuration)
            }
            #expect(named?.code == .sourceRefused)
            #expect(named?.message.contains("belongs to replica set rs0") == true)
            #expect(named?.message.contains("says other") == true)
            #expect(named?.remedy.contains("replicaSet=rs0") == true)
        }
    }

    @Test func `a set that was initiated anew under the same name is another source`()
        async throws
    {
        try await offPool {
            let double = try double()
            let stream = try room(double).stream()
            let opening = try stream.open(ResumePoint(descriptor: nil, end: nil))
            stream.close()
            double.state.update { $0.replicaSetID = Array(101...112) }
            let error = refusal(try room(double), descriptor: opening.descriptor)
            #expect(error?.code == .sourceIdentityChanged)
            #expect(error?.message.contains("65666768696a6b6c6d6e6f70") == true)
            #expect(error?.remedy.contains("give it a new name under `sources`") == true)
            let base = try BaseBackupRun(double.url)
            #expect(base.files.isEmpty)
        }
    }

    @Test func `what a user lacks is told with the statement that gives it`() async throws {
        let url = "mongodb://archiver:secret@db1:27017/?replicaSet=rs0"
        let configuration = try MongoConfiguration(source: SourceID("lessons")!, url: url)
        let right = ConnectionFailure(.server, code: 13, "not authorized on local")
        let refused = right.error(configuration, command: "find on local.oplog.rs")
        #expect(refused.code == .sourceRefused)
        #expect(refused.message.contains("user archiver at MongoDB at db1:27017 may not use find"))
        #expect(
            refused.remedy.contains(
                "db.getSiblingDB(\"admin\").grantRolesToUser(\"archiver\", "
                    + "[\"backup\", \"clusterMonitor\"])"))
        let password = ConnectionFailure(.server, code: 18, "Authentication failed.")
        let unknown = password.error(configuration, command: "hello")
        #expect(unknown.message.contains("does not take the password of user archiver"))
        #expect(
            unknown.remedy.contains(
                "db.getSiblingDB(\"admin\").createUser({user: \"tidemark\", pwd: passwordPrompt(), "
                    + "roles: [\"backup\", \"clusterMonitor\"]})"))
        let changing = try MongoConfiguration(
            source: SourceID("lessons")!, url: url + "&mode=changeStream")
        let roles = "[\"backup\", \"clusterMonitor\", \"readAnyDatabase\"])"
        #expect(
            password.error(changing, command: "hello").remedy.contains(
                "pwd: passwordPrompt(), roles: \(roles.dropLast())})`"))
        #expect(
            right.error(changing, command: "listDatabases").remedy.contains(
                "grantRolesToUser(\"archiver\", \(roles)"))
        let target = right.targetError(configuration, "documents for shop.orders")
        #expect(
            target.remedy.contains(
                "grantRolesToUser(\"archiver\", [\"restore\", \"readWriteAnyDatabase\", "
                    + "\"dbAdminAnyDatabase\"])"))
        #expect(!"\(refused)\(unknown)\(target)".contains("secret"))
        try await offPool {
            let double = try double()
            double.state.update {
                $0.failures["listDatabases"] = .init(13, "Unauthorized", "not authorized")
            }
            let inspector = try room(double).inspector()
            defer { inspector.close() }
            let finding = try #require(try inspector.check().first { $0.level == .error })
            #expect(finding.message.contains("list all databases"))
            #expect(finding.remedy.contains("grantRolesToUser"))
        }
    }

    @Test func `after a stepdown the stream goes on, and a mark says who must be asked`()
        async throws
    {
        try await offPool {
            let entries = try MongoFixture("shop").oplog()
            let double = try MongoDouble(entries: entries, visible: 5)
            let url = "mongodb://127.0.0.1:\(double.port)/"
            let room = try room(double, url: url)
            let stream = room.stream()
            let sink = RecordingSink()
            sink.position = try stream.open(ResumePoint(descriptor: nil, end: nil)).start.ordinal
            double.write(10)
            try pull(stream, sink, to: double.state.read { $0.newest.ordinal })
            double.state.update { $0.isPrimary = false }
            // Cursors on the oplog live on.
            double.write(10)
            try pull(stream, sink, to: double.state.read { $0.newest.ordinal })
            #expect(sink.bytes == entries[5..<25].flatMap { $0 })
            double.state.update {
                $0.failures["appendOplogNote"] = .init(
                    10107, "NotWritablePrimary", "not primary")
            }
            let inspector = room.inspector()
            for question in [
                { _ = try inspector.mark("x") }, { _ = try inspector.probe() },
            ] {
                let error = #expect(throws: TidemarkError.self) { try question() }
                #expect(error?.code == .sourceUnreachable)
                #expect(
                    error?.remedy.contains("replicaSet=") == true
                        || error?.remedy.contains("choosing a primary") == true,
                    "\(String(describing: error))")
            }
            // A member that goes down ends the session, which is taken up again.
            double.state.update {
                $0.failures["getMore"] = .init(11600, "InterruptedAtShutdown", "shutdown")
            }
            let down = #expect(throws: TidemarkError.self) {
                try pull(stream, sink, to: .max)
            }
            #expect(down?.code == .sourceUnreachable)
            #expect(down?.remedy.contains("connects again by itself") == true)
            inspector.close()
            stream.close()
        }
    }

    @Test func `a cursor that dies at once again and again ends the session with the cause`()
        async throws
    {
        try await offPool {
            let double = try double()
            let stream = try room(double).stream()
            let sink = RecordingSink()
            sink.position = try stream.open(ResumePoint(descriptor: nil, end: nil)).start.ordinal
            double.state.update {
                $0.failures["getMore"] = .init(43, "CursorNotFound", "cursor id not found")
            }
            let error = #expect(throws: TidemarkError.self) { try pull(stream, sink, to: .max) }
            #expect(error?.code == .sourceUnreachable)
            #expect(error?.message.contains("closed the cursor on its oplog 4 times") == true)
            #expect(double.state.read { $0.commands["getMore"]! } <= 10, "bounded")
        }
    }
}
