import Model
import Testing

@testable import Mongo

@Suite struct StreamMachineTests {
    private let source = StreamMachine.Source(
        identity: "abc", majority: OpTime(seconds: 90, increment: 1),
        oldest: OpTime(seconds: 10, increment: 1))

    private func entry(_ seconds: UInt32, term: Int64 = 1, note: String = "x") -> [UInt8] {
        BSONDocument([
            ("op", .string("n")), ("ns", .string("")),
            ("o", .document(BSONDocument([("msg", .string(note))]))),
            ("ts", .timestamp(OpTime(seconds: seconds, increment: 1))), ("t", .int64(term)),
        ]).bytes
    }

    private func position(_ seconds: UInt32, _ timeline: String = "abc") -> Position {
        Position(
            timeline: TimelineID(timeline),
            ordinal: OpTime(seconds: seconds, increment: 1).ordinal)
    }

    private func machine(
        at seconds: UInt32?, _ last: [UInt8]?, skips: Bool = false, others: [Position] = [],
        identity: String = "abc"
    ) -> StreamMachine {
        StreamMachine(
            ResumePoint(
                descriptor: SourceDescriptor(
                    source: SourceID("lessons")!, kind: .mongodb, identity: identity,
                    majorVersion: "4.4", segmentBytes: 1, created: CommitTime(microseconds: 0)),
                end: seconds.map { position($0) }, others: others, skipsLostHistory: skips),
            lastEntry: last, place: "db:27017")
    }

    @Test func `the same entry is contiguous`() throws {
        let machine = machine(at: 50, entry(50))
        #expect(try machine.ask(source) == OpTime(seconds: 50, increment: 1))
        let start = try machine.decide(entry(50), source)
        #expect(start == .init(position: position(50), skipsFirst: true))
    }

    @Test func `without an archived entry its optime must do`() throws {
        let start = try machine(at: 50, nil).decide(entry(50, note: "whatever"), source)
        #expect(start == .init(position: position(50), skipsFirst: true))
    }

    @Test func `nothing archived begins at the majority's newest entry`() throws {
        let machine = machine(at: nil, nil)
        #expect(try machine.ask(source) == source.majority)
        let start = try machine.decide(entry(90), source)
        #expect(start == .init(position: position(90), skipsFirst: true))
    }

    @Test(arguments: [(Int64(2), "x"), (1, "y")])
    func `another term or other bytes at the same optime are another history`(
        _ term: Int64, _ note: String
    ) throws {
        let other = entry(50, term: term, note: note)
        let machine = machine(at: 50, entry(50))
        let error = #expect(throws: TidemarkError.self) { try machine.decide(other, source) }
        #expect(error?.code == .historyLost && error?.message.contains("50.1") == true)
        let again = self.machine(at: 50, entry(50), skips: true, others: [position(20, "abc.2")])
        let start = try again.decide(other, source)
        #expect(start == .init(position: position(90, "abc.3"), skipsFirst: true))
    }

    @Test func `a later entry means a gap up to the oldest that is there`() throws {
        let error = #expect(throws: TidemarkError.self) {
            try machine(at: 5, entry(5)).decide(entry(10), source)
        }
        #expect(error?.code == .historyLost && error?.message.contains("10.1") == true)
        let start = try machine(at: 5, entry(5), skips: true).decide(entry(10), source)
        #expect(start.position.ordinal == OpTime(seconds: 10, increment: 0).ordinal)
        #expect(start.position.timeline == TimelineID("abc") && !start.skipsFirst)
    }

    @Test func `an entry that is missing amid older and newer ones was taken back`() throws {
        let error = #expect(throws: TidemarkError.self) {
            try machine(at: 50, entry(50)).decide(entry(60), source)
        }
        #expect(error?.code == .historyLost && error?.message.contains("rolled back") == true)
        #expect(error?.message.contains("no longer holds") == false)
        let start = try machine(at: 50, entry(50), skips: true).decide(entry(60), source)
        #expect(start == .init(position: position(90, "abc.2"), skipsFirst: true))
    }

    @Test func `nothing at all means that this member is behind`() throws {
        #expect(try machine(at: 95, entry(95)).judge(nil, source) == .behind)
        let error = #expect(throws: TidemarkError.self) {
            try machine(at: 95, entry(95)).decide(nil, source)
        }
        #expect(error?.code == .sourceUnreachable)
    }

    @Test func `another set under the same name is refused`() {
        let error = #expect(throws: TidemarkError.self) {
            try machine(at: 50, entry(50), identity: "old").ask(source)
        }
        #expect(error?.code == .sourceIdentityChanged)
    }

    @Test func `bytes that are no entry stop it`() {
        let error = #expect(throws: TidemarkError.self) {
            try machine(at: 50, entry(50)).decide([1, 2, 3], source)
        }
        #expect(error?.code == .sourceUnreachable)
    }
}
