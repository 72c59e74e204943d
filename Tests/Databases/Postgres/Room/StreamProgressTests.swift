import Model
@testable import Postgres
import Testing

@Suite struct StreamProgressTests {
    private func at(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: 0).advanced(bySeconds: seconds + 1000)
    }

    private func progress(_ start: UInt64 = 1000) -> StreamProgress {
        StreamProgress(start: start, now: at(0), statusSeconds: 10, silenceSeconds: 60)
    }

    private func data(_ start: UInt64, end: UInt64) -> XLogData {
        XLogData(start: start, serverEnd: end, sent: CommitTime(microseconds: 0))
    }

    private let wall = CommitTime(microseconds: 7)

    @Test func `bytes follow each other without a hole`() throws {
        var progress = progress()
        try progress.took(data(1000, end: 1500), bytes: 300)
        #expect(progress.received == 1300)
        #expect(!progress.isCaughtUp)
        try progress.took(data(1300, end: 1500), bytes: 200)
        #expect(progress.isCaughtUp)
        let error = #expect(throws: TidemarkError.self) {
            try progress.took(data(1501, end: 1600), bytes: 1)
        }
        #expect(error?.code == .sourceUnreachable)
    }

    @Test func `only what came in this session is confirmed, and never less than before`() throws {
        var progress = progress()
        // Durable from an earlier session, re-sent only in part.
        let confirmed1 = progress.confirm(1400)
        #expect(!confirmed1)
        #expect(progress.status(at(0), wall: wall, asks: true).flushed == 0)
        try progress.took(data(1000, end: 1500), bytes: 500)
        let confirmed2 = progress.confirm(1400)
        #expect(confirmed2)
        let confirmed3 = progress.confirm(1400)
        #expect(!confirmed3)
        let confirmed4 = progress.confirm(1300)
        #expect(!confirmed4)
        let status = progress.status(at(0), wall: wall, asks: false)
        #expect(status.flushed == 1400)
        #expect(status.written == 1400)
        #expect(status.applied == 1400)
        let confirmed5 = progress.confirm(1501)
        #expect(!confirmed5)
    }

    @Test func `a status is due every ten seconds and at once when asked for`() {
        var progress = progress()
        #expect(!progress.isStatusDue(at(9.9)))
        #expect(progress.isStatusDue(at(10)))
        _ = progress.status(at(10), wall: wall, asks: false)
        #expect(!progress.isStatusDue(at(11)))
        progress.took(Keepalive(sentEnd: 1000, sent: wall, replyRequested: true))
        #expect(progress.isReplyWanted)
        #expect(progress.isStatusDue(at(11)))
        _ = progress.status(at(11), wall: wall, asks: false)
        #expect(!progress.isReplyWanted)
    }

    /// Looks every five seconds and finds nothing, up to and with `last`.
    private func look(_ progress: inout StreamProgress, _ first: Double, _ last: Double)
        -> StreamProgress.Silence
    {
        var silence = progress.silence(at(first))
        for second in stride(from: first + 5, through: last, by: 5) {
            silence = progress.silence(at(second))
        }
        return silence
    }

    @Test func `a silent server is asked after half a minute and given up after a whole`() {
        var progress = progress()
        let early = progress.silence(at(1))
        #expect(early == .fine(seconds: 9))
        let half = look(&progress, 5, 30)
        #expect(half == .ask)
        _ = progress.status(at(30), wall: wall, asks: true)
        let late = look(&progress, 35, 55)
        #expect(late == .fine(seconds: 0))
        let end = look(&progress, 60, 60)
        #expect(end == .gone)
        progress.heard(at(61))
        let heard = progress.silence(at(62))
        #expect(heard != .gone)
    }

    @Test func `time in which nobody looked is no silence`() {
        var progress = progress()
        // A write that blocked, a machine that slept: an hour passes between two looks.
        let slept = progress.silence(at(3600))
        #expect(slept == .fine(seconds: 0))
        let asked = look(&progress, 3605, 3615)
        #expect(asked == .ask)
        _ = progress.status(at(3615), wall: wall, asks: true)
        // Asked, and asleep again: the answer gets a quarter of a minute more, not nothing.
        let again = progress.silence(at(7200))
        #expect(again == .fine(seconds: 0))
        let gone = look(&progress, 7205, 7215)
        #expect(gone == .gone)
    }

    @Test func `any message is a sign of life, also one that brings nothing`() {
        var progress = progress()
        _ = look(&progress, 5, 30)
        _ = progress.status(at(30), wall: wall, asks: true)
        // The answer came at once, but was read only after a flush of half a minute.
        progress.heard(at(60))
        progress.took(Keepalive(sentEnd: 1000, sent: wall, replyRequested: false))
        let after = progress.silence(at(60))
        #expect(after == .fine(seconds: 0))
    }
}
