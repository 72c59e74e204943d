import Model
import Testing

@testable import Mongo

@Suite struct BSONTests {
    private static let sample = BSONDocument([
        ("_id", .int32(7)), ("text", .string("žluť")), ("big", .int64(1 << 40)),
        ("ts", .timestamp(OpTime(seconds: 5, increment: 9))), ("none", .null),
        ("in", .document(BSONDocument([("a", .array([.int32(1), .bool(true)]))]))),
        ("bytes", .binary([1, 2, 3], subtype: 0)), ("half", .double(0.5)),
    ])

    @Test func `what is written is read back`() throws {
        let read = try BSONDocument(Self.sample.bytes)
        #expect(read == Self.sample)
        #expect(read["_id"]?.integer == 7)
        #expect(read["text"]?.string == "žluť")
        #expect(read["ts"]?.timestamp == OpTime(seconds: 5, increment: 9))
        #expect(read["in"]?.document?["a"]?.elements?.count == 2)
        #expect(read["bytes"]?.binary.map { Array($0.content) } == [1, 2, 3])
        #expect(read["missing"] == nil)
        #expect(read.fields.map(\.name).first == "_id")
    }

    @Test func `a document that is cut off at any byte is refused`() {
        let bytes = Self.sample.bytes
        for length in 0..<bytes.count {
            #expect(throws: BSONFailure.self) { _ = try BSONDocument(Array(bytes[..<length])) }
        }
    }

    @Test func `no changed byte makes the walker leave the document`() throws {
        let bytes = Self.sample.bytes
        for place in bytes.indices {
            for value in [0, 1, 4, 127, 128, 255] as [UInt8] {
                var damaged = bytes
                damaged[place] = value
                // Sound or refused: either way nothing traps and nothing is read outside.
                if let document = try? BSONDocument(damaged) { _ = document.text() }
            }
        }
    }

    @Test func `documents nested too deep are refused`() {
        var document = BSONDocument.empty
        for _ in 0..<BSONLimit.depth { document = BSONDocument([("d", .document(document))]) }
        #expect(throws: Never.self) { _ = try BSONDocument(document.bytes) }
        for _ in 0..<2 { document = BSONDocument([("d", .document(document))]) }
        #expect(throws: BSONFailure.self) { _ = try BSONDocument(document.bytes) }
    }

    @Test func `optimes sort and print as the oplog has them`() {
        let time = OpTime(seconds: 1_703_678_400, increment: 1)
        #expect(time.description == "1703678400.1")
        #expect(OpTime("1703678400.1") == time)
        #expect(OpTime("1703678400") == nil)
        #expect(OpTime("1703678400.x") == nil)
        #expect(OpTime("1.4294967296") == nil)
        #expect(OpTime(seconds: 1, increment: 9) < OpTime(seconds: 2, increment: 0))
    }

    @Test func `segments are named by ten digits each`() {
        let style = OplogPositionStyle()
        let range = PositionRange(
            timeline: TimelineID("x"), first: OpTime(seconds: 17, increment: 3).ordinal,
            last: OpTime(seconds: 1_703_678_400, increment: 12).ordinal)
        let name = style.segmentName(range)
        #expect(name == "0000000017.0000000003-1703678400.0000000012.bson")
        #expect(style.parseSegmentName(name, timeline: TimelineID("x")) == range)
        #expect(style.parseSegmentName("17.3-18.1.bson", timeline: TimelineID("x")) == nil)
    }
}
