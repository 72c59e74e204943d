import Model
import TestKit
import Testing

@testable import Mongo

/// When a time is complete, what is archived of it, and how a torn one is taken up again.
@Suite struct ChangeGroupsTests {
    private func time(_ increment: UInt32) -> OpTime { OpTime(seconds: 100, increment: increment) }

    private func event(
        _ increment: UInt32, _ id: Int32, _ more: [(String, BSONValue)] = []
    ) -> BSONDocument {
        BSONDocument(
            [
                ("_id", .document(BSONDocument([("_data", .string("token \(id)"))]))),
                ("operationType", .string("insert")), ("clusterTime", .timestamp(time(increment))),
                ("fullDocument", .document(BSONDocument([("_id", .int32(id))]))),
            ] + more)
    }

    private func part(_ number: Int32, of count: Int32, _ increment: UInt32?) -> BSONDocument {
        var fields: [(String, BSONValue)] = [
            ("_id", .document(BSONDocument([("_data", .string("part \(number)"))]))),
            (
                "splitEvent",
                .document(BSONDocument([("fragment", .int32(number)), ("of", .int32(count))]))
            ),
        ]
        if let increment {
            fields += [
                ("operationType", .string("insert")), ("clusterTime", .timestamp(time(increment))),
                ("ns", .document(BSONDocument([("db", .string("d")), ("coll", .string("c"))]))),
            ]
        } else {
            fields.append(("fullDocument", .document(BSONDocument([("_id", .int32(7))]))))
        }
        return BSONDocument(fields)
    }

    private func take(_ event: BSONDocument, _ groups: inout ChangeGroups) throws {
        let bytes = event.bytes
        try groups.take(bytes.span, at: 0)
    }

    private func fails(
        _ groups: ChangeGroups, _ body: (inout ChangeGroups) throws -> Void
    ) -> Bool {
        var groups = groups
        do {
            try body(&groups)
            return false
        } catch {
            return error is BSONFailure
        }
    }

    @Test func `a time is complete with a later event, a later token, or when nothing more comes`()
        throws
    {
        var groups = ChangeGroups(behind: time(1))
        let (a, b, c) = (event(2, 1), event(2, 2), event(3, 3))
        try take(a, &groups)
        try take(b, &groups)
        try groups.settle(time(1))
        #expect(groups.ready == 0)
        try take(c, &groups)
        #expect(groups.ready == a.bytes.count + b.bytes.count)
        #expect(groups.readyTime == time(2))
        #expect(try groups.lastDocument()?["_id"]?.document?["_data"]?.string == "token 2")
        groups.clear()
        #expect(groups.isHolding)
        try groups.settle(time(3))
        #expect(groups.bytes == c.bytes && groups.readyTime == time(3))
        groups.clear()
        try take(event(9, 4), &groups)
        try groups.settle()
        #expect(groups.readyTime == time(9))
    }

    @Test func `an event of a time that was handed on is late, one of another an error`() throws {
        var groups = ChangeGroups(behind: time(5))
        #expect(try isLate(event(5, 1), &groups))
        try take(event(8, 1), &groups)
        #expect(try isLate(event(4, 1), &groups))
        let isBefore = fails(groups) { try take(event(7, 1), &$0) }
        #expect(isBefore)
        try take(event(9, 2), &groups)
        let isReady = fails(groups) { try take(event(8, 3), &$0) }
        #expect(isReady)
        groups.clear()
        #expect(try isLate(event(8, 3), &groups))
        #expect(groups.bytes == event(9, 2).bytes)
    }

    private func isLate(_ event: BSONDocument, _ groups: inout ChangeGroups) throws -> Bool {
        let bytes = event.bytes
        return try groups.take(bytes.span, at: 0) == .late(0..<bytes.count)
    }

    @Test func `events of an incomplete time that come once more are compared, and held once`()
        throws
    {
        var groups = ChangeGroups(behind: time(1))
        let (a, b) = (event(2, 1), event(2, 2))
        for one in [a, b, a, b] { try take(one, &groups) }
        #expect(groups.bytes == a.bytes + b.bytes)
        var same = groups
        try same.settle()
        #expect(same.ready == a.bytes.count + b.bytes.count)
        for one in [a, event(2, 3)] { try take(one, &groups) }
        let isOther = fails(groups) { try $0.settle() }
        #expect(isOther)
    }

    @Test func `what is archived is known again byte for byte, as far as it is kept`() {
        var recent = RecentEvents()
        let (a, b) = (event(2, 1).bytes, event(2, 2).bytes)
        recent.keep((a + b)[...])
        #expect(recent.holds(a[...]) && recent.holds(b[...]))
        #expect(!recent.holds(event(2, 3).bytes[...]) && !recent.holds(a.dropLast()))
        recent.keep([UInt8](repeating: 0, count: RecentEvents.limit + 1)[...])
        #expect(!recent.holds(a[...]))
        for number in 0..<20_000 { recent.keep(event(3, Int32(number)).bytes[...]) }
        #expect(recent.holds(event(3, 19_999).bytes[...]))
    }

    @Test func `parts of an event stay together, and are one event in a replay`() throws {
        var groups = ChangeGroups(behind: time(1))
        let parts = [part(1, of: 2, 2), part(2, of: 2, nil)]
        try take(parts[0], &groups)
        try groups.settle()
        #expect(groups.ready == 0)
        try take(parts[1], &groups)
        try groups.settle()
        #expect(groups.bytes == parts[0].bytes + parts[1].bytes && groups.readyTime == time(2))
        #expect(try groups.lastDocument()?["_id"]?.document?["_data"]?.string == "part 2")
        var assembler = EventAssembler()
        #expect(try assembler.take(parts[0]) == nil)
        let whole = try #require(try assembler.take(parts[1]))
        guard case .insert(let target, let document) = try OplogEntry(whole).change else {
            Issue.record("the event is an insert")
            return
        }
        #expect(target.namespace == Namespace("d", "c") && document["_id"]?.integer == 7)
        #expect(try assembler.take(event(3, 1)) == event(3, 1))
    }

    @Test func `what is sent again must be the same`() throws {
        var groups = ChangeGroups(behind: time(1))
        let (a, b) = (event(2, 1), event(2, 2))
        try take(a, &groups)
        groups.restart()
        #expect(groups.bytes.isEmpty)
        var same = groups
        try take(a, &same)
        try take(b, &same)
        try same.settle()
        #expect(same.bytes == a.bytes + b.bytes)
        try take(b, &groups)
        let isOther = fails(groups) { try $0.settle() }
        #expect(isOther)
    }

    @Test func `a mark stands behind everything and says something new`() throws {
        var groups = ChangeGroups(behind: time(1))
        let token = BSONDocument([("_data", .string("t"))])
        let mark = ProgressMark.document(
            token: token, time: time(4), wall: 5, lastEvent: nil)
        let isOld = groups.add(mark, at: time(1), wall: nil)
        #expect(!isOld)
        let isNew = groups.add(mark, at: time(4), wall: 5)
        #expect(isNew && groups.readyTime == time(4) && groups.notes.map(\.wall) == [5])
        #expect(try groups.lastDocument()?["_id"]?.document == token)
        let bytes = mark.bytes
        let head = try EntryHead(bytes.span)
        #expect(head.kind == .noop)
        guard case .noop = try OplogEntry(mark).change else {
            Issue.record("a mark changes nothing")
            return
        }
    }

    @Test func `a token of the server tells its time`() throws {
        let token = BSONDocument([("_data", .string("826B02C2D7000000052B0229296E04"))])
        #expect(ResumeToken.time(token) == OpTime(seconds: 1_795_343_063, increment: 5))
        #expect(ResumeToken.time(BSONDocument([("_data", .string("3b00"))])) == nil)
        for event in try MongoFixture("shop").changes() {
            let event = try BSONDocument(event)
            #expect(ResumeToken.time(event["_id"]?.document) == event["clusterTime"]?.timestamp)
        }
    }

    @Test func `the oldest moment is found by halves`() {
        for wanted in [UInt32(11), 500, 999, 1000] {
            var search = OldestMoment(
                lost: OpTime(seconds: 10, increment: 3), there: OpTime(seconds: 1000, increment: 9))
            var asked = 0
            while let moment = search.question {
                asked += 1
                search.answer(isThere: moment.seconds >= wanted)
            }
            #expect(search.there.seconds == wanted && asked <= 11)
        }
    }

    @Test func `what a server can do is told by its version`() {
        #expect(!ChangeFeatures(version: "4.0.28").canBeArchived)
        #expect(ChangeFeatures(version: "4.2.0").canBeArchived)
        #expect(!ChangeFeatures(version: "5.0.9").hasExpandedEvents)
        #expect(ChangeFeatures(version: "6.0.5").hasExpandedEvents)
        #expect(!ChangeFeatures(version: "6.0.5").splitsLargeEvents)
        #expect(ChangeFeatures(version: "6.0.9").splitsLargeEvents)
        #expect(!ChangeFeatures(version: "6.3.1").splitsLargeEvents)
        #expect(ChangeFeatures(version: "7.0.0-rc1").splitsLargeEvents)
    }
}
