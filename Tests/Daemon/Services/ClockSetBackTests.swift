import Model
import TestKit
import Testing

@testable import Daemon

/// A wall clock that is set back makes no proof younger.
@Suite struct ClockSetBackTests {
    private static func reading(_ wall: Double, _ uptime: Double, _ boot: String) -> ClockReading {
        ClockReading(
            wall: CommitTime(microseconds: Int64(wall * 1e6)),
            uptime: MonotonicTime(nanoseconds: UInt64(uptime * 1e9)), boot: boot)
    }

    @Test func `after a boot the exposure counts on by the steady clock, for every reader`() throws {
        let source = SourceID("ledger")!
        var mark = Sample.watermark(200, proved: 100_000)
        mark.boot = "before"
        let board = SourceBoard(source, time: SimulatedTime())
        // Two hours later the machine is up again, and then its clock is set back.
        board.takeUp(mark, Self.reading(107_200, 20, "after"))
        let told = try #require(
            board.watermark(Self.reading(107_210, 30, "after"))?.exposure(
                Self.reading(107_210, 30, "after")))
        #expect(abs(told - 7210) < 0.001)
        let back = Self.reading(100_160, 40, "after")
        let later = try #require(board.watermark(back))
        #expect(abs(try #require(later.exposure(back)) - 7220) < 0.001)
        // Another process of the same boot that takes over goes on counting.
        let next = SourceBoard(source, time: SimulatedTime())
        let again = Self.reading(100_170, 50, "after")
        next.takeUp(later, again)
        #expect(abs(try #require(next.watermark(again)?.exposure(again)) - 7230) < 0.001)
    }
}
