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
