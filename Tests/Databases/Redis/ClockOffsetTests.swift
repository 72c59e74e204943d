import Model
import Platform
import TestKit
import Testing

@testable import Redis

struct ClockOffsetTests {
    private func at(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000_000_000).advanced(bySeconds: seconds)
    }

    /// A source's clock that is at this moment this many seconds ahead of 1970 plus ours.
    private func source(_ seconds: Double, ahead: Double) -> CommitTime {
        CommitTime(microseconds: 1_700_000_000_000_000).advanced(bySeconds: seconds + ahead)
    }

    private func look(_ seconds: Double, _ ahead: Double, ask: Double, answer: Double)
        -> ClockOffset
    {
        ClockOffset(
            source(seconds + ask, ahead: ahead), asked: at(seconds),
            answered: at(seconds + ask + answer))
    }

    @Test func `however slow and lopsided the ways are, the truth lies between the bounds`() {
        for seed in 0..<200 as Range<UInt64> {
            var random = SeededRandom(seed: seed)
            let ahead = Double.random(in: -5000...5000, using: &random)
            let drift = Double.random(in: -0.9...0.9, using: &random) * ClockOffset.driftRate
            var offset: ClockOffset?
            var now = 0.0
            for _ in 0..<60 {
                now += Double.random(in: 0...3, using: &random)
                let isSlow = Int.random(in: 0..<3, using: &random) > 0
                let most = isSlow ? 20 : 0.001
                let ask = Double.random(in: 0...most, using: &random)
                let answer = Double.random(in: 0...most, using: &random)
                let seen = look(now, ahead + drift * (now + ask), ask: ask, answer: answer)
                now += ask + answer
                if offset == nil { offset = seen } else { offset?.take(seen) }
                for later in [0, 0.5, 30] {
                    let bounds = offset?.time(at: at(now + later))
                    let truth = source(now + later, ahead: ahead + drift * (now + later))
                    guard bounds?.contains(truth) == true else {
                        Issue.record("seed \(seed): \(truth) is not in \(bounds as Any)")
                        return
                    }
                }
            }
        }
    }

    @Test func `a slow look after a quick one makes nothing worse than drift does`() throws {
        var offset = look(0, 70, ask: 0.0001, answer: 0.0001)
        offset.take(look(5, 70, ask: 8, answer: 0))
        offset.take(look(14, 70, ask: 0, answer: 8))
        let bounds = offset.time(at: at(30))
        let width = bounds.upperBound.seconds(since: bounds.lowerBound)
        #expect(width < 2 * 30 * ClockOffset.driftRate + 0.001)
        #expect(bounds.contains(source(30, ahead: 70)))
    }

    @Test func `a clock that was set is followed at once`() {
        for step in [-40.0, 40] {
            var offset = look(0, 0, ask: 0.0001, answer: 0.0001)
            offset.take(look(1, step, ask: 0.3, answer: 0.1))
            #expect(offset.time(at: at(2)).contains(source(2, ahead: step)))
        }
    }

    @Test func `only what is known badly is noted with both its ends`() {
        let quick = Arrival(source(0, ahead: 0)...source(0.2, ahead: 0))
        #expect(quick.time == source(0.1, ahead: 0))
        #expect(quick.earliest(late: nil) == nil)
        #expect(quick.earliest(late: source(-9, ahead: 0)) == source(-9, ahead: 0))
        let slow = Arrival(source(0, ahead: 0)...source(2, ahead: 0))
        #expect(slow.time == source(2, ahead: 0))
        #expect(slow.earliest(late: nil) == source(0, ahead: 0))
        #expect(slow.earliest(late: source(1, ahead: 0)) == source(0, ahead: 0))
        #expect(slow.earliest(late: source(-9, ahead: 0)) == source(-9, ahead: 0))
    }

    @Test func `an answer to TIME that is no time is none`() {
        func time(_ words: String...) -> CommitTime? {
            Questions.clockTime(.array(words.map { .bytes(Array($0.utf8)) }))
        }
        #expect(time("1700000000", "999999")?.microseconds == 1_700_000_000_999_999)
        for words in [("9223372036854775807", "0"), ("-1", "0"), ("1", "1000000"), ("1", "x")] {
            #expect(time(words.0, words.1) == nil, "\(words)")
        }
        #expect(time("1") == nil)
        #expect(Questions.clockTime(.error("ERR")) == nil)
    }

    @Test(arguments: [
        RedisClockRelay.Delay(question: 0.7), RedisClockRelay.Delay(answer: 0.7),
    ])
    func `what comes is noted so that its time is in the note`(
        _ delay: RedisClockRelay.Delay
    ) async throws {
        try await offPool {
            let server = try RedisServer.start()
            let relay = try RedisClockRelay(server, aheadBy: 5000)
            relay.holdUp([delay])
            let room = try room(relay.url)
            let stream = room.stream()
            _ = try stream.open(ResumePoint(descriptor: nil, end: nil))
            let sink = RecordingSink()
            // What the handshake brought.
            try server.command("SET", "first", "v")
            try stream.follow(sink) { sink.text.contains("first") }
            let known = sink.notes.count
            let before = clock.wall().advanced(bySeconds: 5000)
            try server.command("SET", "second", "v")
            try server.command("SET", "second", "v")
            try stream.follow(sink) { sink.text.contains("second") }
            let after = clock.wall().advanced(bySeconds: 5000)
            for note in sink.notes[known...] {
                let earliest = try #require(note.earliest)
                #expect(earliest <= after && before <= note.time)
                #expect(note.time.seconds(since: earliest) >= 0.7)
                #expect(note.time.seconds(since: earliest) < 2)
            }
            // And the first quick answer makes it sharp.
            relay.holdUp([])
            let inspector = room.inspector()
            _ = try inspector.probe()
            try server.command("SET", "third", "v")
            try stream.follow(sink) { sink.text.contains("third") }
            #expect(try #require(sink.notes.last).earliest == nil)
        }
    }
}
