import Glibc
import Model
import Monitoring
import Platform
import Repository
import TestKit
import Testing

@testable import Daemon

/// The machine sleeps, or somebody sets its clock: the two are told apart, since the steady clock
/// goes on through the first and knows nothing of the second.
struct MachineSleepTests {
    private static let source = SourceID("ledger")!
    private static let line = TimelineID("1")

    /// A source that is followed, with a proof of just now.
    private static func followed(_ time: SimulatedTime) -> SourceBoard {
        let board = SourceBoard(source, time: time)
        board.takeUp(nil, time.reading())
        board.connected(identity: "7", now: time.monotonic())
        board.progressed(
            received: 64, archived: Position(timeline: line, ordinal: 64), now: time.monotonic())
        prove(board, time)
        return board
    }

    private static func prove(_ board: SourceBoard, _ time: SimulatedTime) {
        let now = time.reading()
        board.probed(
            Probe(
                timeline: line, bound: 64, sourceTime: now.wall, asked: now.uptime,
                askedWall: now.wall, answered: now.uptime, flushed: 64, identity: "7", end: 64),
            before: board.verified, now: now.uptime)
    }

    private static func exposure(_ board: SourceBoard, _ time: SimulatedTime) throws -> Double {
        let now = time.reading()
        return try #require(board.watermark(now)?.exposure(now))
    }

    @Test func `after a sleep the first look shows all of it, and no state that was good`() throws {
        let time = SimulatedTime()
        let board = Self.followed(time)
        #expect(try Self.exposure(board, time) == 0)
        #expect(board.watermark(time.reading())?.state == .streaming)
        time.advance(8 * 3600)
        #expect(try Self.exposure(board, time) == 8 * 3600)
        #expect(board.watermark(time.reading())?.state == .stalled)
        var objective = ObjectiveTracker()
        #expect(
            objective.observe(
                try Self.exposure(board, time), rpo: 900, now: time.monotonic()) == .breached)
        // Only a new proof makes it good again.
        Self.prove(board, time)
        #expect(try Self.exposure(board, time) == 0)
        #expect(board.watermark(time.reading())?.state == .streaming)
    }

    @Test func `a sleep is called out at the first look after it, as the breach it was`() throws {
        let time = SimulatedTime()
        let board = Self.followed(time)
        var alerts = AlertTracker()
        func look() throws -> [Alert] {
            let mark = try #require(board.watermark(time.reading()))
            return alerts.observe(
                SourceStatus(
                    name: Self.source, kind: .postgres, state: mark.state, timeline: nil,
                    receivedPosition: nil, archivedPosition: nil, restorableTo: nil,
                    exposureSeconds: mark.exposure(time.reading()), rpoSeconds: 900,
                    recoveryWindows: [], gaps: [], lastBackup: nil, sourceWindow: nil, reason: ""),
                now: time.monotonic(), wall: time.wall())
        }
        #expect(try look().isEmpty)
        time.advance(901)
        #expect(Set(try look().map(\.event)) == [.breached, .stalled])
    }

    @Test(arguments: [-86_400.0, -2, 2, 86_400])
    func `a step of the wall clock makes no exposure larger or smaller`(seconds: Double) throws {
        let time = SimulatedTime()
        let board = Self.followed(time)
        time.advance(3)
        time.stepWall(seconds)
        #expect(try Self.exposure(board, time) == 3)
        #expect(board.watermark(time.reading())?.state == .streaming)
        time.advance(2)
        #expect(try Self.exposure(board, time) == 5)
    }

    @Test func `minutes that were slept through are missing, not made up`() {
        var minutes = MinuteCollector()
        #expect(minutes.add(minute: 100, exposure: 0.5, archivedBytes: 10) == nil)
        let before = minutes.add(minute: 160, exposure: 3600, archivedBytes: 10)
        #expect(before?.minute == 100 && before?.exposureSeconds == 0.5)
        #expect(minutes.finish()?.exposureSeconds == 3600)
    }

    /// CLOCK_MONOTONIC stands still while the machine sleeps; CLOCK_BOOTTIME does not
    /// (clock_gettime(2)).
    @Test func `the steady clock is the one that goes on while the machine sleeps`() {
        var before = timespec()
        clock_gettime(CLOCK_BOOTTIME, &before)
        let read = SystemTimeSource().monotonic()
        var after = timespec()
        clock_gettime(CLOCK_BOOTTIME, &after)
        let bounds = [before, after].map { UInt64($0.tv_sec) * 1_000_000_000 + UInt64($0.tv_nsec) }
        #expect(bounds[0] <= read.nanoseconds && read.nanoseconds <= bounds[1])
    }
}
