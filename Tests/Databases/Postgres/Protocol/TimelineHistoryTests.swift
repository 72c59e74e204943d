import Model
import Testing

@testable import Postgres

@Suite struct TimelineHistoryTests {
    static let three = """
        1\t0/3000000\tno recovery target specified

        2\t0/5000060\tbefore 2026-11-24 04:23:35.913868+00

        """

    static func history(_ text: String, _ timeline: UInt32 = 5) throws -> TimelineHistory {
        try TimelineHistory(timeline: timeline, content: Array(text.utf8))
    }

    @Test func `a server's history file is read and written back byte for byte`() throws {
        for timeline: UInt32 in [2, 3] {
            let content = WalFixture.read("promoted/0000000\(timeline).history")
            let history = try TimelineHistory(timeline: timeline, content: content)
            #expect(history.ancestors.count == Int(timeline) - 1)
            #expect(history.parent == timeline - 1)
            #expect(history.content == content)
        }
    }

    @Test func `every byte of the WAL has one owner`() throws {
        let history = try Self.history(Self.three, 4)
        #expect(history.owner(of: 0) == 1)
        #expect(history.owner(of: 0x2FF_FFFF) == 1)
        #expect(history.owner(of: 0x300_0000) == 2)
        #expect(history.owner(of: 0x500_005F) == 2)
        #expect(history.owner(of: 0x500_0060) == 4)
        #expect(history.switchPoint(leaving: 1) == 0x300_0000)
        #expect(history.switchPoint(leaving: 4) == nil)
        #expect(history.start(of: 1) == 0)
        #expect(history.start(of: 2) == 0x300_0000)
        #expect(history.start(of: 4) == 0x500_0060)
        #expect(history.start(of: 3) == nil)
        #expect([1, 2, 3, 4, 5].map { history.contains($0) } == [true, true, false, true, false])
    }

    @Test func `a place is on the way only up to the switch point`() throws {
        let history = try Self.history(Self.three, 4)
        #expect(history.passes(1, at: 0x300_0000))
        #expect(!history.passes(1, at: 0x300_0001))
        #expect(history.passes(4, at: .max))
        #expect(!history.passes(3, at: 1))
        let root = TimelineHistory(root: 1)
        #expect(root.owner(of: .max) == 1)
        #expect(root.parent == nil)
        #expect(root.content.isEmpty)
    }

    @Test func `comments and blank lines mean nothing`() throws {
        let history = try Self.history("# note\n\n  \t\n1\t0/1000\n# end")
        #expect(
            history.ancestors == [.init(timeline: 1, switchPoint: 0x1000, reason: "")])
    }

    @Test(arguments: [
        "1", "1\t", "1\tx", "x\t0/1\t", "1 0/1 r", "1\t0/1\tr\n1\t0/2\tr", "2\t0/1\tr\n1\t0/2\tr",
        "1\t0/2\tr\n2\t0/1\tr", "5\t0/1\tr", "6\t0/1\tr", "0\t0/1\tr", "\u{0}",
    ])
    func `a file that makes no sense is refused by name`(_ text: String) throws {
        let error = #expect(throws: TidemarkError.self) { try Self.history(text) }
        #expect(error?.code == .archiveDamaged)
        #expect(error?.message.contains("00000005.history") == true)
    }
}
