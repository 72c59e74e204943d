import Model
import Platform
import TestKit
import Testing

@testable import Mongo

/// Up to when a primary counts as the only one.
struct PrimaryHoldTests {
    /// What a primary says: the term of its newest entry, and the newest that a majority has.
    private func hello(
        term: Int64 = 3, majority: Int64 = 3, at wall: Int64 = 1000, me: String = "a:1"
    ) -> Hello {
        let opTime = { (term: Int64) -> BSONValue in
            .document(
                BSONDocument([
                    ("ts", .timestamp(OpTime(seconds: 1, increment: 1))), ("t", .int64(term)),
                ]))
        }
        return Hello(
            BSONDocument([
                ("ismaster", .bool(true)), ("me", .string(me)),
                (
                    "lastWrite",
                    .document(
                        BSONDocument([
                            ("opTime", opTime(term)), ("majorityOpTime", opTime(majority)),
                            ("majorityWriteDate", .date(milliseconds: wall)),
                        ]))
                ),
            ]))
    }

    private func beats(_ answers: [Int64: Int64]) -> [PrimaryHold.Heartbeat] {
        answers.map { PrimaryHold.Heartbeat(member: $0, answered: $1) }
    }

    private func time(_ milliseconds: Int64) -> CommitTime {
        CommitTime(milliseconds: milliseconds)
    }

    @Test func `what a majority has tells, if it is of the primary's own term`() {
        var hold = PrimaryHold()
        #expect(hold.held(hello(at: 5000), nil, voters: 0) == time(5000))
        #expect(hold.held(hello(term: 4, at: 6000), nil, voters: 0) == nil)
        #expect(hold.held(hello(term: 4, at: 6000), beats([1: 7000, 2: 7000]), voters: 3) == nil)
    }

    @Test func `of each member the answer before the newest counts, of a majority`() {
        var hold = PrimaryHold()
        let said = hello()
        #expect(hold.held(said, beats([1: 2000, 2: 2100]), voters: 3) == time(1000))
        // The same answers once more tell nothing new.
        #expect(hold.held(said, beats([1: 2000, 2: 2100]), voters: 3) == time(1000))
        #expect(hold.held(said, beats([1: 4000, 2: 2100]), voters: 3) == time(2000))
        #expect(hold.held(said, beats([1: 4000, 2: 4100]), voters: 3) == time(2100))
        // Of five, two besides the primary have to follow it.
        #expect(hold.held(said, beats([1: 6000, 2: 4100]), voters: 5) == time(2100))
        #expect(hold.held(said, beats([1: 6000, 2: 6100]), voters: 5) == time(4000))
    }

    @Test func `a member that was down, a clock set back and another primary begin anew`() {
        var hold = PrimaryHold()
        let said = hello()
        _ = hold.held(said, beats([1: 2000]), voters: 3)
        #expect(hold.held(said, beats([1: 4000]), voters: 3) == time(2000))
        #expect(hold.held(said, beats([:]), voters: 3) == time(1000))
        #expect(hold.held(said, beats([1: 9000]), voters: 3) == time(1000))
        #expect(hold.held(said, beats([1: 8000]), voters: 3) == time(1000))
        #expect(hold.held(said, beats([1: 9500]), voters: 3) == time(8000))
        #expect(hold.held(hello(me: "b:1"), beats([1: 9900]), voters: 3) == time(1000))
    }

    @Test func `a primary that the others do not answer proves nothing newer`() async throws {
        try await offPool {
            let double = try MongoDouble(entries: MongoFixture("shop").oplog())
            let use = try StreamUse(double, options: "replicaSet=rs0")
            double.state.update {
                $0.others = [1, 2]
                $0.clock = 2_000_000_000_000
                $0.answered = 1_999_999_999_000
            }
            let inspector = use.room.inspector()
            defer { inspector.close() }
            // What a majority has is older, in the recorded entries.
            let old = try inspector.probe()
            double.state.update { $0.answered = 1_999_999_999_900 }
            let held = try inspector.probe()
            #expect(held.sourceTime == time(1_999_999_999_000))
            #expect(try #require(old.sourceTime) < time(1_999_999_999_000))
            #expect(held.askedWall.seconds(since: old.askedWall) > 1)
            double.state.update { $0.clock = 2_000_000_005_000 }
            let cut = try inspector.probe()
            #expect(cut.sourceTime == held.sourceTime)
            // One that is alone in its set is its own majority.
            double.state.update { $0.others = [] }
            #expect(try inspector.probe().sourceTime == time(2_000_000_005_000))
        }
    }

    @Test func `who votes is asked for again when the configuration or the primary changes`()
        async throws
    {
        try await offPool {
            let double = try MongoDouble(entries: MongoFixture("shop").oplog())
            double.state.update { $0.others = [1, 2] }
            let inspector = try StreamUse(double, options: "replicaSet=rs0").room.inspector()
            defer { inspector.close() }
            let asked = { double.state.read { $0.commands["replSetGetConfig"] ?? 0 } }
            _ = try inspector.probe()
            let first = asked()
            for _ in 0..<3 { _ = try inspector.probe() }
            // The set's identity, while no stream is open, and nothing else.
            let identity = first - 1
            #expect(asked() - first == 3 * identity)
            for change: @Sendable (inout MongoDoubleState) -> Void in [
                { $0.configVersion += 1 }, { $0.term += 1 },
            ] {
                double.state.update(change)
                let before = asked()
                _ = try inspector.probe()
                #expect(asked() - before == 1 + identity)
                _ = try inspector.probe()
                #expect(asked() - before == 1 + 2 * identity)
            }
        }
    }

    @Test func `who votes is kept for the configuration alone that the status told`() throws {
        let status = { (version: Int32) in
            let own = BSONDocument([
                ("_id", .int32(0)), ("self", .bool(true)), ("configVersion", .int32(version)),
            ])
            return BSONDocument([("term", .int64(1)), ("members", .array([.document(own)]))])
        }
        let members = [(0, 1), (1, 1), (2, 0)].map { (number: Int32, votes: Int32) in
            BSONValue.document(
                BSONDocument([("_id", .int32(number)), ("votes", .int32(votes))]))
        }
        let configuration = BSONDocument([("version", .int32(3)), ("members", .array(members))])
        let (second, third) = try (
            #require(KnownVoters.Reign(status: status(2))),
            #require(KnownVoters.Reign(status: status(3)))
        )
        var known = KnownVoters()
        known.take(configuration, in: second)
        #expect(known.voters == [0, 1])
        #expect(known.voters(second) == nil && known.voters(third) == nil)
        known.take(configuration, in: third)
        #expect(known.voters(third) == [0, 1] && known.voters(second) == nil)
        // A status that does not tell its configuration keeps nothing.
        #expect(KnownVoters.Reign(status: BSONDocument([("term", .int64(1))])) == nil)
        #expect(known.voters(nil) == nil)
    }

    @Test func `a router's clock counts up to the second that all shards' streams have come to`() {
        let now = time(2_000_000_000_500)
        let reached = { (second: UInt32) in OpTime(seconds: second, increment: 3) }
        #expect(RouterHold.age(reached(2_000_000_000), now: now) == 0.5)
        #expect(RouterHold.age(reached(1_999_999_990), now: now) == 10.5)
        // A cluster's time may be ahead of the router's clock.
        #expect(RouterHold.age(reached(2_000_000_009), now: now) == 0)
        // Before any stream was open a primary may have been cut off for as long as it can be.
        #expect(RouterHold.age(nil, now: now) >= 600)
    }

    @Test func `through a router nothing is proved behind what the stream has come to`()
        async throws
    {
        try await offPool {
            let (use, _) = try StreamUse.ofChanges()
            use.double.state.update(MongoDoubleState.makeRouter)
            use.double.state.update { $0.clock = 2_000_000_000_000 }
            let inspector = use.room.inspector()
            defer { inspector.close() }
            let unknown = try inspector.probe()
            #expect(try #require(unknown.sourceTime) <= time(1_999_999_400_000))
            let opening = try use.open()
            defer { use.stream.close() }
            let held = try inspector.probe()
            let start = OpTime(ordinal: opening.start.ordinal)
            #expect(held.sourceTime == time(Int64(start.seconds) * 1000))
            #expect(held.bound >= opening.start.ordinal)
            // However long it takes: a shard's primary that is cut off writes nothing new.
            use.double.state.update { $0.clock = 2_000_000_009_000 }
            let later = try inspector.probe()
            #expect(later.sourceTime == held.sourceTime)
            use.double.writeAll()
            let wall = SystemTimeSource()
            try eventually("an event of a later second comes", seconds: 60) {
                let wait = wall.monotonic().advanced(bySeconds: 0.2)
                _ = try use.stream.pull(until: wait, into: use.sink)
                return OpTime(ordinal: use.sink.position).seconds > start.seconds
            }
            let moved = try inspector.probe()
            #expect(try #require(moved.sourceTime) > #require(held.sourceTime))
            #expect(moved.bound >= use.sink.position)
        }
    }

    @Test func `check says what a set costs whose status may not be asked for`() async throws {
        try await offPool {
            let double = try MongoDouble(entries: MongoFixture("shop").oplog())
            double.state.update {
                $0.failures["replSetGetStatus"] = .init(13, "Unauthorized", "not authorized")
            }
            let inspector = try StreamUse(double, options: "replicaSet=rs0").room.inspector()
            defer { inspector.close() }
            let isWarned = { (finding: Finding) in finding.message.contains("the set's status") }
            // Of one that is alone nobody else can become the primary.
            #expect(try !inspector.check().contains(where: isWarned))
            double.state.update { $0.others = [1] }
            let found = try #require(try inspector.check().first(where: isWarned))
            #expect(found.level == .warning)
            #expect(found.remedy.contains("clusterMonitor"))
            let committed = double.state.read { $0.majority.seconds }
            #expect(try inspector.probe().sourceTime == time(Int64(committed) * 1000))
        }
    }
}
