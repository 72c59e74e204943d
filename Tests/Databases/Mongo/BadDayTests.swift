import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// What happens to servers and networks, against the wire double.
@Suite struct BadDayTests {
    private func use(_ options: String = "replicaSet=rs0", visible: Int = 1) throws
        -> (use: StreamUse, entries: [[UInt8]])
    {
        let entries = try MongoFixture("shop").oplog()
        return (
            try StreamUse(MongoDouble(entries: entries, visible: visible), options: options),
            entries
        )
    }

    @Test(arguments: ["replicaSet=rs0", "replicaSet=rs0&mode=changeStream"])
    func `a stepdown is survived`(options: String) async throws {
        try await offPool {
            let (use, entries) = try use(options)
            let events = try MongoFixture("shop").changes()
            use.double.tell(events)
            try use.open()
            use.double.write(60)
            try use.pullAll()
            // The cursor survives on what is a secondary now; another connection is cut.
            use.double.state.update { $0.isPrimary = false }
            use.double.write(60)
            try use.pullAll()
            let code = MongoDoubleState.Failure(11602, "InterruptedDueToReplStateChange", "stepped")
            use.double.state.update { $0.failures["getMore"] = code }
            use.double.cutConnections()
            #expect(throws: TidemarkError.self) {
                for _ in 0..<9 {
                    _ = try use.stream.pull(
                        until: SystemTimeSource().monotonic().advanced(bySeconds: 0.1),
                        into: use.sink)
                }
            }
            use.double.state.update {
                $0.failures = [:]
                $0.isPrimary = true
            }
            try use.again()
            use.double.writeAll()
            try use.pullAll()
            let isOplog = !options.contains("mode")
            #expect(try use.events() == (isOplog ? Array(entries.dropFirst()) : events))
            use.stream.close()
        }
    }

    @Test func `each right that is missing is named, with the statement that gives it`()
        async throws
    {
        try await offPool {
            let (use, _) = try use("mode=oplog", visible: 10)
            let cases = [
                ("find on local", "read local.oplog.rs"),
                ("listDatabases on admin", "list all databases"),
                ("replSetGetConfig on admin", "read the set's configuration"),
                ("find on admin", "read users and roles"),
            ]
            for (command, what) in cases {
                use.double.state.update {
                    $0.failures = [command: .init(13, "Unauthorized", "not authorized")]
                }
                let inspector = use.room.inspector()
                let findings = try inspector.check()
                let finding = try #require(findings.first { $0.level == .error }, "\(command)")
                #expect(finding.message == "user nobody may not \(what)")
                #expect(
                    finding.remedy
                        == "db.getSiblingDB(\"admin\").grantRolesToUser(\"tidemark\", "
                        + "[\"backup\", \"clusterMonitor\"])")
                inspector.close()
            }
            let changes = try StreamUse(use.double, options: "mode=changeStream")
            use.double.state.update {
                $0.failures = ["aggregate": .init(13, "Unauthorized", "not authorized")]
            }
            let inspector = changes.room.inspector()
            let finding = try #require(try inspector.check().first { $0.level == .error })
            #expect(finding.message == "user nobody may not follow the changes of all databases")
            #expect(finding.remedy.contains("\"readAnyDatabase\""))
            inspector.close()
            let error = #expect(throws: TidemarkError.self) { try changes.open() }
            #expect(error?.code == .sourceRefused)
        }
    }

    @Test(arguments: [
        (0, 3, "servers from 3.6 on can be archived"), (30, 40, "install a newer libmongoc-1.0"),
    ])
    func `a server of another age is refused`(
        wire: (least: Int32, most: Int32, remedy: String)
    ) async throws {
        try await offPool {
            let (use, _) = try use()
            use.double.state.update {
                $0.minWireVersion = wire.least
                $0.wireVersion = wire.most
            }
            let error = #expect(throws: TidemarkError.self) { try use.open() }
            #expect(error?.code == .sourceRefused, "\(String(describing: error))")
            #expect(error?.remedy.hasPrefix(wire.remedy) == true, "\(String(describing: error))")
        }
    }

    @Test func `an entry of sixteen megabytes passes whole`() async throws {
        try await offPool {
            let (use, entries) = try use()
            let last = try BSONDocument(#require(entries.last))
            let ts = try #require(last["ts"]?.timestamp)
            let content = BSONDocument([
                ("_id", .int32(1)),
                ("x", .binary([UInt8](repeating: 7, count: (16 << 20) - 200))),
            ])
            let large = last.setting("o", .document(content)).setting("op", .string("i"))
                .setting(
                    "ts", .timestamp(OpTime(seconds: ts.seconds, increment: ts.increment + 1)))
            use.double.state.update { $0.add(large.bytes) }
            try use.open()
            use.double.writeAll()
            try use.pullAll()
            #expect(use.sink.bytes == entries.dropFirst().flatMap { $0 } + large.bytes)
            use.stream.close()
        }
    }

    @Test func `damaged bytes in an answer are never archived`() async throws {
        try await offPool {
            // Small entries: bytes inside of a long value are no damage that BSON could show.
            let entries = try MongoFixture("fuzzy").oplog()
            let use = try StreamUse(
                MongoDouble(entries: entries, visible: 1), options: "replicaSet=rs0")
            try use.open()
            var reconnects = 0
            for _ in 0..<5 {
                use.double.state.update { $0.damagesAnswersFrom = 4000 }
                use.double.write(80)
                reconnects += try use.pullAll()
            }
            use.double.state.update { $0.damagesAnswersFrom = nil }
            use.double.writeAll()
            try use.pullAll()
            #expect(reconnects > 0)
            #expect(use.sink.bytes == entries.dropFirst().flatMap { $0 })
            use.stream.close()
        }
    }

    @Test func `the window of an oplog is told by its size and the rate`() async throws {
        try await offPool {
            let (use, _) = try use()
            let inspector = use.room.inspector()
            try use.open()
            use.double.writeAll()
            try use.pullAll()
            #expect(try inspector.sourceWindow()?.headroomBytes == nil)
            use.double.state.update { $0.oplogLimit = 100 << 20 }
            let window = try #require(try inspector.sourceWindow())
            #expect(window.kind == "oplog" && window.headroomBytes == 100 << 20)
            #expect(window.share == 1)
            use.double.state.update {
                $0.failures["find on local"] = .init(13, "Unauthorized", "no")
            }
            #expect(try inspector.sourceWindow() == nil)
            inspector.close()
            use.stream.close()
        }
    }
}
