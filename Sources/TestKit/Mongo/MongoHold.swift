import Glibc
package import Model
import Platform

/// Stands between a client and a live server and holds up one command for ever, so that the client
/// can be killed at that very point. Everything else passes as it is.
///
/// Each connection is served by a thread of its own; all of them end with the object.
package final class MongoHold: Sendable {
    /// What of the command is held up.
    package enum Side: Sendable { case question, answer }

    package let port: Int
    private let listener: Int32
    private let holding: Holding
    private let threads = Monitor<[DedicatedThread<Void>]>([])

    /// - Parameter words: all of them stand in the command that is held up.
    package init(
        _ server: Int, _ side: Side, of words: [String]
    ) throws(TidemarkError) {
        port = try freePort()
        listener = try LoopbackSocket.listening(on: port, backlog: 16)
        holding = Holding(server: server, side: side, words: words)
        let (listener, holding, threads) = (listener, holding, threads)
        let accepting = DedicatedThread("hold-accept") { () throws(TidemarkError) in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                let thread = DedicatedThread("hold") { () throws(TidemarkError) in
                    try holding.serve(client)
                }
                threads.update { $0.append(thread) }
            }
        }
        threads.update { $0.append(accepting) }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        holding.end()
        for thread in threads.read({ $0 }) { try? thread.join() }
        holding.close()
        Glibc.close(listener)
    }

    package var url: String { "mongodb://127.0.0.1:\(port)" }

    /// Waits until the command has come, and, where its answer is held up, that too.
    package func waitHeld(seconds: Double = 60) throws(TidemarkError) {
        let isHeld = holding.state.wait(seconds: seconds) { $0.isHeld ? true : nil as Bool? }
        guard isHeld == true else {
            throw TidemarkError(.failed, "no such command came within \(seconds) s")
        }
    }

    /// What all connections share.
    private struct Holding: Sendable {
        struct State {
            /// Closed only at the end, so that no number is used twice.
            var sockets: [Int32] = []
            var isEnded = false
            var isHeld = false
        }

        let server: Int
        let side: Side
        let words: [String]
        let state = Monitor(State())

        func serve(_ client: Int32) throws(TidemarkError) {
            guard register(client) else { return }
            let upstream = try LoopbackSocket.connected(to: server)
            guard register(upstream) else { return }
            defer {
                shutdown(client, Int32(SHUT_RDWR))
                shutdown(upstream, Int32(SHUT_RDWR))
            }
            var holdsAnswer = false
            while true {
                var ready = [
                    pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: upstream, events: Int16(POLLIN), revents: 0),
                ]
                guard poll(&ready, 2, -1) > 0 else { return }
                if ready[1].revents != 0 {
                    let answer = Self.read(upstream)
                    if holdsAnswer { return hold(client) }
                    guard Self.pass(answer, to: client) else { return }
                }
                if ready[0].revents != 0 {
                    let bytes = Self.read(client)
                    if let bytes, isWanted(bytes) {
                        if side == .question { return hold(client) }
                        holdsAnswer = true
                    }
                    guard Self.pass(bytes, to: upstream) else { return }
                }
            }
        }

        /// A short command comes in one piece.
        private func isWanted(_ bytes: [UInt8]) -> Bool {
            let text = String(decoding: bytes, as: UTF8.self)
            return words.allSatisfy { text.contains($0) }
        }

        /// Until the client is gone.
        private func hold(_ client: Int32) {
            state.update { $0.isHeld = true }
            while Self.read(client) != nil {}
        }

        private func register(_ socket: Int32) -> Bool {
            state.update { state in
                state.sockets.append(socket)
                if state.isEnded { shutdown(socket, Int32(SHUT_RDWR)) }
                return !state.isEnded
            }
        }

        /// Wakes every thread.
        func end() {
            state.update { state in
                state.isEnded = true
                for socket in state.sockets { shutdown(socket, Int32(SHUT_RDWR)) }
            }
        }

        func close() { for socket in state.read({ $0.sockets }) { Glibc.close(socket) } }

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
