import Model
import Monitoring
import Platform
import TestKit
import Testing

@testable import Daemon

struct SourceBoardTests {
    private let time = SimulatedTime()

    private func board() throws -> SourceBoard {
        let board = SourceBoard(try #require(SourceID("ledger")), time: time)
        board.takeUp(nil, time.reading())
        return board
    }

    @Test func `a process that does not archive the source has no watermark to write`() throws {
        let board = SourceBoard(try #require(SourceID("ledger")), time: time)
        connect(board, archived: 100)
        #expect(board.watermark(time.reading()) == nil)
        board.takeUp(nil, time.reading())
        #expect(board.watermark(time.reading())?.archived == 100)
    }

    private func position(_ ordinal: UInt64) -> Position {
        Position(timeline: TimelineID("1"), ordinal: ordinal)
    }

    private func connect(_ board: SourceBoard, archived: UInt64) {
        board.connected(identity: "A", now: time.monotonic())
        board.progressed(
            received: archived, archived: position(archived), now: time.monotonic())
    }

    @Test func `what was acknowledged stays known while the source sends it again`() throws {
        let board = try board()
        connect(board, archived: 100)
        board.disconnected("the network")
        connect(board, archived: 64)
        var mark = try #require(board.watermark(time.reading()))
        #expect(mark.archived == 64)
        #expect(mark.acknowledged == 100 && mark.claimed == 100)
        #expect(board.acknowledged == position(100))
        // A later process knows it too.
        let next = try self.board()
        next.takeUp(mark, time.reading())
        #expect(next.acknowledged == position(100))
        // Another timeline counts anew, and only once something of it is archived.
        next.connected(identity: "A", now: time.monotonic())
        #expect(next.watermark(time.reading())?.timeline == TimelineID("1"))
        next.progressed(
            received: 70, archived: Position(timeline: TimelineID("2"), ordinal: 70),
            now: time.monotonic())
        mark = try #require(next.watermark(time.reading()))
        #expect(mark.timeline == TimelineID("2") && mark.claimed == 70)
    }

    /// A probe asked now; one second passes afterwards.
    private func probe(
        _ board: SourceBoard, bound: UInt64, end: UInt64? = nil, identity: String = "A"
    ) -> String? {
        defer { time.advance(1) }
        let before = board.verified
        let now = time.monotonic()
        return board.probed(
            Probe(
                timeline: TimelineID("1"), bound: bound, sourceTime: time.wall(), asked: now,
                askedWall: time.wall(), answered: now, flushed: bound, identity: identity,
                end: end ?? bound),
            before: before, now: now)
    }

    private func exposure(_ board: SourceBoard) -> Double? {
        board.monitor.read { $0.tracker.exposure(time.monotonic()) }
    }

    @Test func `a probe of the archive's source is proved by the open stream`() throws {
        let board = try board()
        connect(board, archived: 100)
        #expect(probe(board, bound: 100) == nil)
        #expect(exposure(board) == 1)
    }

    @Test func `a source that answers slowly says so, and not of every answer anew`() throws {
        let board = try board()
        connect(board, archived: 100)
        /// One that comes a second after the one before.
        func answer(_ seconds: Double) -> String? {
            time.advance(1)
            return board.answered(within: seconds, now: time.monotonic())
        }
        func reason() -> String? { board.watermark(time.reading())?.reason }
        #expect(answer(1) == nil && reason() == "")
        let told = try #require(answer(3.2))
        #expect(told.hasPrefix("the source takes more than a second to answer"))
        #expect(reason()?.hasPrefix("the database took 3.2 s to answer") == true)
        #expect(board.watermark(time.reading())?.state == .streaming)
        // Soon ones between slow ones change nothing, and the log gets the same words.
        #expect((0..<4).allSatisfy { _ in answer(0.1) == told })
        #expect(answer(2) == told)
        #expect(reason()?.hasPrefix("the database took 2.0 s to answer") == true)
        #expect((0..<4).allSatisfy { _ in answer(0.1) == told })
        #expect(answer(0.1) == nil && reason() == "")
        // Whoever does not answer at all is not slow.
        #expect(answer(2) != nil)
        board.unanswered("gone")
        #expect(reason() == "gone")
    }

    @Test func `an idle source that does not tell its end streams while its PINGs come`() throws {
        let board = try board()
        connect(board, archived: 100)
        func state() -> StreamState? { board.watermark(time.reading())?.state }
        func second() {
            time.advance(1)
            board.refused("may not ask", heartbeat: 25, now: time.monotonic())
        }
        var end: UInt64 = 100
        for count in 1...60 {
            second()
            #expect(state() == .streaming, "after \(count) s")
            guard count % 10 == 0 else { continue }
            end += 14
            board.progressed(received: end, archived: position(end), now: time.monotonic())
        }
        // Two of them stay out.
        for _ in 0..<25 { second() }
        #expect(state() == .streaming)
        second()
        #expect(state() == .stalled)
        #expect(board.watermark(time.reading())?.reason == "may not ask")
        // One that may be asked again, and one that is gone, are judged as any other.
        board.progressed(received: 400, archived: position(400), now: time.monotonic())
        #expect(probe(board, bound: 400) == nil)
        #expect(probe(board, bound: 500) == nil)
        for _ in 0..<5 { #expect(probe(board, bound: 500) == nil) }
        #expect(state() == .stalled)
        board.progressed(received: 500, archived: position(500), now: time.monotonic())
        second()
        board.unanswered("gone")
        time.advance(6)
        #expect(state() == .stalled)
    }

    @Test func `a probe before the first contact proves nothing`() throws {
        let board = try board()
        #expect(probe(board, bound: 100) == nil)
        connect(board, archived: 100)
        #expect(exposure(board) == nil)
    }

    @Test func `another cluster proves nothing, though its positions are archived`() throws {
        let board = try board()
        connect(board, archived: 100)
        #expect(probe(board, bound: 100) == nil)
        for _ in 0..<10 {
            let doubt = probe(board, bound: 50, identity: "B")
            #expect(doubt?.contains("another one (B)") == true)
        }
        #expect(exposure(board) == 11)
        let mark = board.watermark(time.reading())
        #expect(mark?.reason.contains("another one") == true)
    }

    @Test func `without an open stream nothing is proved, at the very bound neither`() throws {
        let board = try board()
        connect(board, archived: 100)
        #expect(probe(board, bound: 100) == nil)
        board.disconnected("gone", TidemarkError(.sourceUnreachable, "gone"))
        #expect(probe(board, bound: 100) == nil)
        #expect(probe(board, bound: 90) == nil)
        #expect(exposure(board) == 3)
        // The stream is open again and has compared what it was sent.
        connect(board, archived: 100)
        #expect(exposure(board) == 1)
    }

    @Test func `a failure that no retry mends makes the waiting probes void`() throws {
        let board = try board()
        connect(board, archived: 100)
        #expect(probe(board, bound: 200) == nil)
        board.disconnected("other", TidemarkError(.sourceIdentityChanged, "other"))
        connect(board, archived: 200)
        #expect(exposure(board) == nil)
    }

    @Test func `a source whose end lies before what it had sent proves nothing`() throws {
        let board = try board()
        connect(board, archived: 100)
        #expect(probe(board, bound: 150, end: 150) == nil)
        #expect(probe(board, bound: 80, end: 99)?.contains("gone back") == true)
        connect(board, archived: 150)
        #expect(exposure(board) == nil)
        // An older bound at a later end is no step back: no transaction has ended since.
        #expect(probe(board, bound: 80, end: 150) == nil)
        #expect(exposure(board) == 1)
    }

    @Test func `a reconnected stream counts from what it has compared`() throws {
        let board = try board()
        connect(board, archived: 100)
        board.disconnected("gone")
        board.connected(identity: "A", now: time.monotonic())
        #expect(probe(board, bound: 90) == nil)
        board.progressed(received: 60, archived: position(60), now: time.monotonic())
        #expect(exposure(board) == nil)
        board.progressed(received: 100, archived: position(100), now: time.monotonic())
        #expect(exposure(board) == 1)
    }

    @Test func `what was proved at the archive's end is kept at a gap that begins there`() throws {
        let board = try board()
        func proof(_ timeline: String, _ first: UInt64) -> CommitTime? {
            board.proof(
                before: PositionRange(timeline: TimelineID(timeline), first: first, last: 9000),
                segmentBytes: 100)
        }
        connect(board, archived: 400)
        #expect(proof("1", 400) == nil)
        let asked = time.wall()
        #expect(probe(board, bound: 400) == nil)
        board.disconnected("gone")
        #expect(proof("1", 400) == asked)
        // A crash came after the last report, within a segment.
        #expect(proof("1", 450) == asked)
        // More was archived by somebody else; less, since files were lost; another history.
        #expect(proof("1", 501) == nil)
        #expect(proof("1", 399) == nil)
        #expect(proof("2", 400) == nil)
    }
}
