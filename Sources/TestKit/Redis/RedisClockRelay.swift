import Glibc
package import Model
import Platform

/// Stands between a client and a real server, and makes the server's clock another one: the answer
/// to TIME is some seconds ahead, and it and the question may be held up. Everything else passes as
/// it is.
package final class RedisClockRelay: Sendable {
    /// Seconds for which one TIME is held up on its ways.
    package struct Delay: Sendable, Hashable {
        var question: Double
        var answer: Double

        package init(question: Double = 0, answer: Double = 0) {
            self.question = question
            self.answer = answer
        }
    }

    private let relay: LoopbackRelay
    private let clock: Clock

    /// - Parameter seconds: how far the clock is ahead of the server's; negative: behind.
    package init(_ server: RedisServer, aheadBy seconds: Int64) throws(TidemarkError) {
        let clock = Clock(ahead: seconds)
        self.clock = clock
        relay = try LoopbackRelay(to: server.port) { link in
            link.run { answer in
                LoopbackRelay.Link.pass(answer, to: link.client)
            } _: { bytes in
                // Whoever asks for it waits for the answer, so nothing else is under way.
                bytes == Clock.question
                    ? clock.tell(link) : LoopbackRelay.Link.pass(bytes, to: link.upstream)
            }
        }
    }

    package var port: Int { relay.port }
    package var url: String { "redis://127.0.0.1:\(port)" }

    /// From now on TIMEs are held up so, each by the next of these, round and round.
    package func holdUp(_ delays: [Delay]) { clock.turns.update { $0 = (delays, 0) } }

    /// What all connections share.
    private struct Clock: Sendable {
        static let question = Array("*1\r\n$4\r\nTIME\r\n".utf8)

        let ahead: Int64
        let turns = Monitor<(delays: [Delay], next: Int)>(([], 0))

        /// One TIME; false when a side is gone.
        func tell(_ link: LoopbackRelay.Link) -> Bool {
            let delay = turns.update { turns -> Delay in
                guard !turns.delays.isEmpty else { return Delay() }
                turns.next += 1
                return turns.delays[(turns.next - 1) % turns.delays.count]
            }
            poll(nil, 0, Int32(delay.question * 1000))
            guard LoopbackRelay.Link.pass(Self.question, to: link.upstream),
                let answer = LoopbackRelay.Link.read(link.upstream)
            else { return false }
            poll(nil, 0, Int32(delay.answer * 1000))
            return LoopbackRelay.Link.pass(changed(answer), to: link.client)
        }

        /// `*2 $10 SECONDS $6 MICROSECONDS`; an error as it is.
        private func changed(_ answer: [UInt8]) -> [UInt8] {
            var lines = String(decoding: answer, as: UTF8.self).split(separator: "\r\n")
            guard lines.count == 5, let seconds = Int64(lines[2]) else { return answer }
            let told = String(seconds + ahead)
            lines[1] = "$\(told.utf8.count)"
            lines[2] = told[...]
            return Array((lines.joined(separator: "\r\n") + "\r\n").utf8)
        }
    }
}
