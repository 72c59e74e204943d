import Model
import TestKit
import Testing

@testable import Mongo

/// Updates that the server makes by itself beside the same as whole documents.
@Suite struct DirectReplayTests {
    static func order(_ server: any LiveMongo, version: String = "3.6.8") -> RestoreOrder {
        let source = SourceID("lessons")!
        let moment = CommitTime(microseconds: 0)
        let timeline = TimelineID("t")
        return RestoreOrder(
            source: source,
            descriptor: SourceDescriptor(
                source: source, kind: .mongodb, identity: "t", majorVersion: "3.6",
                segmentBytes: 16 << 20, created: moment),
            backup: BaseBackupDescriptor(
                id: "b", source: source, kind: .mongodb, timeline: timeline, start: 1, end: 1,
                started: moment, finished: moment, bytes: 0, storedBytes: 0, files: [],
                server: ServerFacts(identity: "t", version: version), warnings: []),
            destination: "", relocations: [:], timeline: timeline, stop: nil, fetchCommand: "",
            programs: [], force: false, starts: false, server: server.url)
    }

    static func target(_ server: any LiveMongo) throws(TidemarkError) -> LiveTarget {
        let order = order(server)
        let made = try LiveTarget(
            MongoConfiguration(
                source: order.source, url: server.url + "/?directConnection=true"), order)
        try made.begin()
        return made
    }

    private func state(_ target: LiveTarget) throws -> [BSONValue: BSONDocument] {
        var found: [BSONValue: BSONDocument] = [:]
        try target.connection.each(
            BSONDocument([("find", .string(RandomUpdates.place.collection))]),
            on: RandomUpdates.place.database, at: .primary
        ) { found[WriteWindow.key($0["_id"]!)] = $0 }
        return found
    }

    /// Replays the entries behind `written`, as if everything up to there was there.
    private func replay(
        _ entries: [[UInt8]], _ windows: Int, written: OpTime, _ target: LiveTarget
    ) throws -> ReplayReport {
        var catalog = ReplayCatalog()
        catalog.add(RandomUpdates.place, .init(uuid: nil, options: .empty, indexes: []))
        let replay = OplogReplay(
            target, catalog: catalog,
            rules: ReplayRules(
                after: .zero, fuzzyUntil: RandomUpdates.time(.max), written: written))
        for (number, entry) in entries.enumerated() {
            try replay.take(entry)
            if number % windows == windows - 1 { try replay.flush() }
        }
        try replay.flush()
        #expect(replay.report.misses == 0)
        var report = replay.report
        // A statement is sent before it is known whether it meets a document.
        report.written = 0
        return report
    }

    @Test(.enabled(if: MongodServer.program != nil))
    func `a server makes the same of any update as our own code`() async throws {
        try await offPool {
            let servers = [try MongodServer.start(), try MongodServer.start()]
            let targets = try servers.map(Self.target)
            defer { for server in servers { server.kill9() } }
            for target in targets { #expect(target.takesDirectUpdates) }
            targets[1].takesDirectUpdates = false
            for seed in UInt64(0)..<30 {
                var random = RandomUpdates(seed: seed)
                let documents = (0..<30).map { _ in random.document() }
                let entries = (0..<600).map { _ in random.entry() }
                let windows = random.number(20..<400)
                // Interrupted somewhere, it goes on from a mark before that.
                let cut = random.number(100..<500)
                let mark = RandomUpdates.time(UInt32(random.number(1..<cut)))
                var reports: [[ReplayReport]] = []
                for target in targets {
                    try target.drop(RandomUpdates.place)
                    try target.create(RandomUpdates.place, .empty)
                    var batch = WriteBatch()
                    batch.puts = documents.map {
                        .init(id: $0["_id"]!, document: $0, mustExist: false, isNew: false)
                    }
                    _ = try target.write(batch, to: RandomUpdates.place)
                    let first = try replay(
                        Array(entries.prefix(cut)), windows, written: .zero, target)
                    let second = try replay(entries, windows / 2, written: mark, target)
                    reports.append([first, second])
                }
                #expect(reports[0] == reports[1], "seed \(seed)")
                let wanted = try state(targets[1])
                #expect(try state(targets[0]) == wanted, "seed \(seed)")
                #expect(wanted.count > 10)
            }
        }
    }

    @Test(.enabled(if: MongodServer.program != nil))
    func `what a server refuses or has not is changed here or counted`() async throws {
        try await offPool {
            let server = try MongodServer.start()
            defer { server.kill9() }
            let target = try Self.target(server)
            let there = (1...3).map { number in
                BSONDocument([("_id", .int32(Int32(number))), ("a", .int32(5))])
            }
            var batch = WriteBatch()
            batch.puts = there.map {
                .init(id: $0["_id"]!, document: $0, mustExist: false, isNew: true)
            }
            _ = try target.write(batch, to: RandomUpdates.place)
            let set = BSONDocument([("$set", .document(BSONDocument([("b", .bool(true))])))])
            let update = try #require(try DirectUpdate(UpdateForm(set)))
            // The server reads a path; here it is a name.
            var refused = update
            refused.sets[0].name = Array("a.b".utf8)
            batch.puts = []
            batch.changes = [
                .init(id: .int32(1), update: update), .init(id: .int32(2), update: refused),
                .init(id: .int32(3), update: update), .init(id: .int32(4), update: update),
                .init(id: .int32(5), update: update),
            ]
            #expect(try target.write(batch, to: RandomUpdates.place) == 2)
            let found = try state(target)
            #expect(found.count == 3)
            for (number, name) in [(0, "b"), (1, "a.b"), (2, "b")] {
                let wanted = there[number].setting(name, .bool(true))
                #expect(found[.int64(Int64(number + 1))] == wanted)
            }
        }
    }

    @Test func `a server that does otherwise is given whole documents`() async throws {
        try await offPool {
            let server = try SecantusServer.start()
            let target = try Self.target(server)
            defer { server.kill9() }
            #expect(!target.takesDirectUpdates)
            // Where an interrupted restore goes on it is tried anew.
            try target.begin()
            #expect(!target.takesDirectUpdates)
        }
    }
}
