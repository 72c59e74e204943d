import Glibc
package import Model
import Platform

/// Stands between a client and a real server, and makes the server's clock another one: the answer
/// to TIME is some seconds ahead, and it and the question may be held up. Everything else passes as
/// it is.
///
/// Each connection is served by a thread of its own; all of them end with the object.
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

    package let port: Int
    private let listener: Int32
    private let relaying: Relaying
    private let threads = Monitor<[DedicatedThread<Void>]>([])

    /// - Parameter seconds: how far the clock is ahead of the server's; negative: behind.
    package init(_ server: RedisServer, aheadBy seconds: Int64) throws(TidemarkError) {
        port = try freePort()
        listener = try LoopbackSocket.listening(on: port, backlog: 16)
        relaying = Relaying(server: server.port, ahead: seconds)
        let (listener, relaying, threads) = (listener, relaying, threads)
        let accepting = DedicatedThread("relay-accept") { () throws(TidemarkError) in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                let thread = DedicatedThread("relay") { () throws(TidemarkError) in
                    try relaying.serve(client)
                }
                threads.update { $0.append(thread) }
            }
        }
        threads.update { $0.append(accepting) }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        relaying.end()
        for thread in threads.read({ $0 }) { try? thread.join() }
        relaying.close()
        Glibc.close(listener)
    }

    package var url: String { "redis://127.0.0.1:\(port)" }

    /// From now on TIMEs are held up so, each by the next of these, round and round.
    package func holdUp(_ delays: [Delay]) { relaying.turns.update { $0 = (delays, 0) } }

    /// What all connections share.
    private struct Relaying: Sendable {
        let server: Int
        let ahead: Int64
        let turns = Monitor<(delays: [Delay], next: Int)>(([], 0))
        /// Closed only at the end, so that no number is used twice.
        let sockets = Monitor<(open: [Int32], isEnded: Bool)>(([], false))

        func serve(_ client: Int32) throws(TidemarkError) {
            guard register(client) else { return }
            let upstream = try LoopbackSocket.connected(to: server)
            guard register(upstream) else { return }
            defer {
                shutdown(client, Int32(SHUT_RDWR))
                shutdown(upstream, Int32(SHUT_RDWR))
            }
            while true {
                var ready = [
                    pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: upstream, events: Int16(POLLIN), revents: 0),
                ]
                guard poll(&ready, 2, -1) > 0 else { return }
                if ready[1].revents != 0 {
                    guard Self.pass(Self.read(upstream), to: client) else { return }
                }
                if ready[0].revents != 0 {
                    guard let bytes = Self.read(client) else { return }
                    // Whoever asks for it waits for the answer, so nothing else is under way.
                    let isTime = bytes == Self.question
                    guard isTime ? tell(client, upstream) : Self.pass(bytes, to: upstream) else {
                        return
                    }
                }
            }
        }

        /// One TIME; false when a side is gone.
        private func tell(_ client: Int32, _ upstream: Int32) -> Bool {
            let delay = turns.update { turns -> Delay in
                guard !turns.delays.isEmpty else { return Delay() }
                turns.next += 1
                return turns.delays[(turns.next - 1) % turns.delays.count]
            }
            poll(nil, 0, Int32(delay.question * 1000))
            guard Self.pass(Self.question, to: upstream), let answer = Self.read(upstream) else {
                return false
            }
            poll(nil, 0, Int32(delay.answer * 1000))
            return Self.pass(changed(answer), to: client)
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

        private static let question = Array("*1\r\n$4\r\nTIME\r\n".utf8)

        private func register(_ socket: Int32) -> Bool {
            sockets.update { sockets in
                sockets.open.append(socket)
                if sockets.isEnded { shutdown(socket, Int32(SHUT_RDWR)) }
                return !sockets.isEnded
            }
        }

        /// Wakes every thread.
        func end() {
            sockets.update { sockets in
                sockets.isEnded = true
                for socket in sockets.open { shutdown(socket, Int32(SHUT_RDWR)) }
            }
        }

        func close() { for socket in sockets.read({ $0.open }) { Glibc.close(socket) } }

        private static func read(_ socket: Int32) -> [UInt8]? {
            var bytes = [UInt8](repeating: 0, count: 64 << 10)
            let count = recv(socket, &bytes, bytes.count, 0)
            return count > 0 ? Array(bytes[..<count]) : nil
        }

        private static func pass(_ bytes: [UInt8]?, to socket: Int32) -> Bool {
            guard var rest = bytes?[...] else { return false }
            while !rest.isEmpty {
                let sent = rest.withUnsafeBytes {
                    Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard sent > 0 else { return false }
                rest = rest.dropFirst(sent)
            }
            return true
        }
    }
}
