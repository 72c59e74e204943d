import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// Change streams against the wire double, which serves the recorded events of a real server.
@Suite struct ChangeFeedTests {
    private func use(_ options: String = "mode=changeStream", visible: Int = 1) throws
        -> (use: StreamUse, events: [[UInt8]])
    {
        let fixture = try MongoFixture("shop")
        let double = try MongoDouble(entries: fixture.oplog(), visible: visible)
        let events = try fixture.changes()
        double.tell(events)
        return (try StreamUse(double, options: options), events)
    }

    @Test func `events come byte for byte, and the position follows the majority when idle`()
        async throws
    {
        try await offPool {
            let (use, events) = try use()
            let opening = try use.open()
            #expect(opening.start.timeline.name == "0102030405060708090a0b0c.changes")
            use.double.writeAll()
            try use.pullAll()
            #expect(try use.events() == events)
            #expect(use.sink.position == use.double.state.read { $0.newest.ordinal })
            use.stream.close()
        }
    }

    @Test func `killed cursors, cut connections and new sessions cost nothing`() async throws {
        try await offPool {
            let (use, events) = try use()
            use.double.state.update { $0.batchBytes = 3000 }
            try use.open()
            for step in 1...12 {
                use.double.write(50)
                if step % 2 == 0 { use.double.killCursors() }
                if step % 3 == 0 { use.double.cutConnections() }
                if step % 4 == 0 { use.double.state.update { $0.cutsAnswersFrom = 1500 } }
                try use.pullAll()
                if step % 5 == 0 { try use.again() }
            }
            use.double.writeAll()
            try use.pullAll()
            #expect(try use.events() == events)
            use.stream.close()
        }
    }

    @Test func `a history that is lost is a gap, and what is left is kept`() async throws {
        try await offPool {
            let (use, events) = try use()
            try use.open()
            use.double.write(100)
            try use.pullAll()
            let kept = try use.events().count
            use.double.writeAll()
            use.double.truncate(keepingFrom: 300)
            let error = #expect(throws: TidemarkError.self) { try use.again() }
            #expect(error?.code == .historyLost)
            let end = use.sink.position
            try use.again(skips: true)
            #expect(use.sink.position > end)
            let oldest = use.double.state.read { $0.entries[300].ts }
            // To the second: the server says no more than whether it has a moment.
            #expect(OpTime(ordinal: use.sink.position).seconds <= oldest.seconds + 1)
            try use.pullAll()
            let after = try use.events().dropFirst(kept)
            #expect(Array(after) == Array(events.suffix(after.count)))
            use.stream.close()
        }
    }

    @Test func `a user who may not read local gets change streams, and stays with them`()
        async throws
    {
        try await offPool {
            let (use, events) = try use("")
            let refused = MongoDoubleState.Failure(13, "Unauthorized", "not authorized on local")
            use.double.state.update { $0.failures["find on local"] = refused }
            #expect(try use.open().start.timeline.name.hasSuffix(".changes"))
            use.double.write(200)
            try use.pullAll()
            use.double.state.update { $0.failures = [:] }
            try use.again()
            use.double.writeAll()
            try use.pullAll()
            #expect(try use.events() == events)
            use.stream.close()
        }
    }

    @Test func `another mode is another history`() async throws {
        try await offPool {
            let (use, _) = try use("", visible: 50)
            let opening = try use.open()
            #expect(!ChangeTimeline.isOne(opening.start.timeline))
            use.double.write(50)
            try use.pullAll()
            let changes = try StreamUse(use.double, options: "mode=changeStream")
            let error = #expect(throws: TidemarkError.self) {
                try changes.open(use.resume())
            }
            #expect(error?.code == .historyLost && error?.remedy.contains("mode=") == true)
            try changes.open(use.resume(skips: true))
            #expect(ChangeTimeline.isOne(try #require(changes.opening).start.timeline))
            use.double.write(50)
            try changes.pullAll()
            let back = try StreamUse(use.double, options: "mode=oplog")
            let second = #expect(throws: TidemarkError.self) {
                try back.open(changes.resume())
            }
            #expect(second?.code == .historyLost)
            try back.open(changes.resume(skips: true))
            #expect(back.opening?.start.timeline.name == "0102030405060708090a0b0c")
        }
    }

    @Test func `a probe is fulfilled although nothing happens`() async throws {
        try await offPool {
            let (use, _) = try use()
            try use.open()
            use.double.write(20)
            try use.pullAll()
            let inspector = use.room.inspector()
            let probe = try inspector.probe()
            #expect(probe.timeline == use.opening?.start.timeline)
            #expect(probe.bound <= use.sink.position)
            let point = try inspector.mark("end of term")
            #expect(point.timeline == probe.timeline && point.position <= use.sink.position)
            let findings = try inspector.check()
            let lack = findings.first { $0.message.contains("users and roles") }
            #expect(lack?.level == .warning && lack?.remedy.contains("grantRolesToUser") == true)
            #expect(findings.contains { $0.message.contains("before 6.0") })
            inspector.close()
        }
    }

    @Test func `a mode that there is not is said with those that there are`() throws {
        for (mode, wanted) in [
            ("mode=oplog", MongoConfiguration.Mode.oplog), ("MODE=ChangeStream", .changeStream),
            ("replicaSet=rs0", .automatic), ("replicaSet=rs0&mode=changestream", .changeStream),
        ] {
            let source = try #require(SourceID("lessons"))
            let made = try MongoConfiguration(source: source, url: "mongodb://a:1/?\(mode)")
            #expect(made.mode == wanted)
        }
        let error = #expect(throws: TidemarkError.self) {
            try MongoConfiguration(source: SourceID("lessons")!, url: "mongodb://a:1/?mode=push")
        }
        #expect(error?.remedy.contains("mode=changeStream") == true)
    }
}
