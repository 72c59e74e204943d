import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// Each fault of the double, as the room meets it: nothing is lost, and no wait is without a bound.
@Suite struct DoubleFaultTests {
    private func use(_ options: String = "replicaSet=rs0") throws
        -> (use: StreamUse, entries: [[UInt8]])
    {
        let fixture = try MongoFixture("shop")
        let entries = try fixture.oplog()
        let double = try MongoDouble(entries: entries, visible: 1)
        double.tell(try fixture.changes())
        return (try StreamUse(double, options: options), entries)
    }

    @Test func `a set initiated anew under its name is another source, and not followed`()
        async throws
    {
        try await offPool {
            let (use, entries) = try use()
            try use.open()
            use.double.write(30)
            try use.pullAll()
            use.double.initiateAnew(Array(entries.prefix(40)))
            let error = #expect(throws: TidemarkError.self) { try use.again() }
            #expect(error?.code == .sourceIdentityChanged, "\(String(describing: error))")
            #expect(use.sink.bytes == entries[1...30].flatMap { $0 })
        }
    }

    @Test func `another last entry in the place of the archived one is another history`()
        async throws
    {
        try await offPool {
            let (use, _) = try use()
            let timeline = try use.open().start.timeline
            use.double.write(30)
            try use.pullAll()
            let position = use.sink.position
            let other = try BSONDocument(use.double.rewriteLast())
            #expect(other["ts"]?.timestamp?.ordinal == position, "the same time, other bytes")
            let error = #expect(throws: TidemarkError.self) { try use.again() }
            #expect(error?.code == .historyLost, "\(String(describing: error))")
            try use.again(skips: true)
            #expect(use.opening?.start.timeline.name == timeline.name + ".2")
            use.stream.close()
        }
    }

    @Test(arguments: MongoDouble.StepdownFailure.allCases)
    func `a primary that steps down is asked again, by a new greeting, once there is one`(
        _ failure: MongoDouble.StepdownFailure
    ) async throws {
        try await offPool {
            let (use, entries) = try use()
            let inspector = use.room.inspector()
            try use.open()
            use.double.write(30)
            try use.pullAll()
            let greetings = use.double.state.read { $0.contact.greetings.count }
            use.double.stepDown(interrupting: ["getMore"], by: failure)
            use.double.write(30)
            // Where the cursor dies with it the session is taken up again; the oplog is read of a
            // secondary too, once there is a primary that says what is committed.
            let time = SystemTimeSource()
            let error = #expect(throws: TidemarkError.self) {
                for _ in 0..<20 {
                    _ = try use.stream.pull(
                        until: time.monotonic().advanced(bySeconds: 0.1), into: use.sink)
                }
            }
            #expect(error?.code == .sourceUnreachable)
            #expect(error?.remedy.contains("connects again by itself") == true)
            use.double.stepUp()
            try use.again()
            use.double.writeAll()
            try use.pullAll()
            #expect(use.sink.bytes == entries.dropFirst().flatMap { $0 })
            #expect(use.double.state.read { $0.contact.greetings.count } > greetings)
            inspector.close()
            use.stream.close()
        }
    }

    @Test(arguments: MongoDouble.StepdownFailure.allCases)
    func `a driver greets anew and reads again when its primary stepped down`(
        _ failure: MongoDouble.StepdownFailure
    ) async throws {
        try await offPool {
            let (use, _) = try use()
            use.double.state.update { state in
                var stored = MongoDoubleState.Stored()
                stored.documents = [BSONDocument([("_id", .int32(1))])]
                state.collections[Namespace("shop", "orders")] = stored
                state.nextFailures["find"] = [
                    .init(failure.rawValue, "NotWritablePrimary", "not master")
                ]
            }
            let told = try SecantusServer.python(
                "print(client.shop.orders.find_one())", url: use.double.url, seconds: 60)
            #expect(told == "{'_id': 1}")
            let commands = use.double.state.read { $0.commands }
            #expect(commands["find"] == 2 && commands["ismaster", default: 0] > 1, "\(commands)")
        }
    }

    @Test func `a secondary refuses writes, and reads that do not say it may answer`() async throws
    {
        try await offPool {
            let (use, _) = try use("")
            use.double.stepDown(by: .notPrimary)
            let told = try SecantusServer.python(
                """
                from pymongo.errors import PyMongoError
                for name, database in (("appendOplogNote", "admin"), ("listDatabases", "admin")):
                    try:
                        client[database].command(name, 1, data={})
                        print("done")
                    except PyMongoError as error: print(error.details["code"])
                """,
                url: "mongodb://127.0.0.1:\(use.double.port)/?directConnection=true", seconds: 60)
            // Talked to directly a driver asks as somebody who takes a secondary's answer.
            #expect(told == "10107\ndone")
            let error = #expect(throws: TidemarkError.self) { try use.room.inspector().mark("x") }
            #expect(error?.remedy.contains("choosing a primary") == true)
        }
    }

    @Test(arguments: ["replicaSet=rs0", "mode=changeStream"])
    func `a cursor that ends without an error is found again`(_ options: String) async throws {
        try await offPool {
            let (use, entries) = try use(options)
            try use.open()
            for _ in 0..<4 {
                use.double.endCursor()
                use.double.write(20)
                // Not a session of its own: the same connection asks again.
                #expect(try use.pullAll() == 0)
                let time = SystemTimeSource()
                try eventually("the fault has happened", seconds: 60) {
                    _ = try use.stream.pull(
                        until: time.monotonic().advanced(bySeconds: 0.1), into: use.sink)
                    return use.double.state.read { !$0.endsCursor }
                }
            }
            use.double.writeAll()
            try use.pullAll()
            if options.contains("mode") {
                #expect(try use.events() == MongoFixture("shop").changes())
            } else {
                #expect(use.sink.bytes == entries.dropFirst().flatMap { $0 })
            }
            use.stream.close()
        }
    }

    @Test func `an answer that breaks off is never archived in part`() async throws {
        try await offPool {
            let (use, entries) = try use()
            try use.open()
            var reconnects = 0
            for _ in 0..<4 {
                use.double.cutNextAnswer(from: 3000)
                use.double.write(60)
                reconnects += try use.pullAll()
            }
            use.double.writeAll()
            try use.pullAll()
            #expect(reconnects > 0)
            #expect(use.sink.bytes == entries.dropFirst().flatMap { $0 })
            use.stream.close()
        }
    }

    @Test func `what a majority lacks is neither archived nor proved`() async throws {
        try await offPool {
            let (use, entries) = try use()
            try use.open()
            use.double.holdBack(10)
            use.double.write(40)
            try use.pullAll()
            #expect(use.sink.bytes == entries[1...30].flatMap { $0 })
            let inspector = use.room.inspector()
            let bound = try inspector.probe().bound
            #expect(bound > use.sink.position, "proved once the ten are archived, not before")
            use.double.holdBack(0)
            try use.pullAll()
            #expect(use.sink.position == bound)
            inspector.close()
            use.stream.close()
        }
    }

    @Test(arguments: ["getMore", "isMaster"])
    func `an answer that comes late ends the session at the wait's bound, and costs nothing`(
        _ command: String
    ) async throws {
        try await offPool {
            let (use, entries) = try use("replicaSet=rs0&socketTimeoutMS=1500")
            try use.open()
            use.double.write(30)
            try use.pullAll()
            let inspector = use.room.inspector()
            _ = try inspector.probe()
            let late = 20.0
            use.double.delay(command, late)
            let time = SystemTimeSource()
            let begun = time.monotonic()
            let error = #expect(throws: TidemarkError.self) {
                if command == "isMaster" { _ = try inspector.probe() }
                // Each may wait; one that is answered in the end shows that it was waited for.
                for _ in 0..<3 {
                    _ = try use.stream.pull(
                        until: time.monotonic().advanced(bySeconds: 0.1), into: use.sink)
                }
            }
            #expect(error?.code == .sourceUnreachable, "\(String(describing: error))")
            #expect(time.monotonic().seconds(since: begun) < late / 2, "the answer was waited for")
            use.double.delay(command, 0)
            try use.again()
            use.double.write(60)
            try use.pullAll()
            #expect(use.sink.bytes == entries[1...90].flatMap { $0 })
            #expect(try inspector.probe().bound == use.sink.position)
            inspector.close()
            use.stream.close()
        }
    }

    @Test func `the entry of the largest document passes whole, over its own connection too`()
        async throws
    {
        try await offPool {
            let (use, entries) = try use()
            let large = use.double.addLarge()
            #expect(large.count > 16 << 20)
            try use.open()
            use.double.writeAll()
            try use.pullAll()
            #expect(use.sink.bytes == entries.dropFirst().flatMap { $0 } + large)
            // The archive's last entry is now this one, and proves that it goes on there.
            try use.again()
            #expect(use.opening?.start.ordinal == use.sink.position)
            use.stream.close()
        }
    }
}
