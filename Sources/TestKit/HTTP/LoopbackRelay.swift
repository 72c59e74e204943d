import Glibc
package import Model
import Platform

/// Stands between clients and a server of 127.0.0.1. Each connection is served by a thread of its
/// own; all of them end with the object.
package final class LoopbackRelay: Sendable {
    /// What serves one connection until a side is gone.
    package typealias Serve = @Sendable (Link) -> Void

    /// A client and its own connection to the server.
    package struct Link: Sendable {
        /// The socket to the client.
        package let client: Int32
        /// The socket to the server.
        package let upstream: Int32

        /// Hands on what comes until a side is gone, or one of the two says that it is over.
        ///
        /// - Parameters:
        ///   - answered: takes what the server sent.
        ///   - asked: takes what the client sent.
        package func run(_ answered: ([UInt8]) -> Bool, _ asked: ([UInt8]) -> Bool) {
            while true {
                var ready = [
                    pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: upstream, events: Int16(POLLIN), revents: 0),
                ]
                guard poll(&ready, 2, -1) > 0 else { return }
                if ready[1].revents != 0 {
                    guard let bytes = Self.read(upstream), answered(bytes) else { return }
                }
                if ready[0].revents != 0 {
                    guard let bytes = Self.read(client), asked(bytes) else { return }
                }
            }
        }

        /// Nil when the other side is gone.
        static func read(_ socket: Int32) -> [UInt8]? {
            var bytes = [UInt8](repeating: 0, count: 64 << 10)
            let count = recv(socket, &bytes, bytes.count, 0)
            return count > 0 ? Array(bytes[..<count]) : nil
        }

        /// False when the other side is gone.
        package static func pass(_ bytes: [UInt8], to socket: Int32) -> Bool {
            var rest = bytes[...]
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

    /// Where clients connect.
    package let port: Int
    private let listener: Int32
    private let sockets = Sockets()
    private let threads = Monitor<[DedicatedThread<Void>]>([])

    /// - Parameter server: its port.
    package init(to server: Int, _ serve: @escaping Serve) throws(TidemarkError) {
        port = try freePort()
        listener = try LoopbackSocket.listening(on: port, backlog: 16)
        let (listener, sockets, threads) = (listener, sockets, threads)
        let accepting = DedicatedThread("relay-accept") { () throws(TidemarkError) in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                let thread = DedicatedThread("relay") { () throws(TidemarkError) in
                    try sockets.serve(client, server, serve)
                }
                threads.update { $0.append(thread) }
            }
        }
        threads.update { $0.append(accepting) }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        sockets.end()
        // One that found no server has failed: its client saw the end of the connection.
        for thread in threads.read({ $0 }) { try? thread.join() }
        sockets.close()
        Glibc.close(listener)
    }

    /// Closed only at the end, so that no number is used twice.
    private struct Sockets: Sendable {
        private let state = Monitor<(open: [Int32], isEnded: Bool)>(([], false))

        func serve(_ client: Int32, _ server: Int, _ serve: Serve) throws(TidemarkError) {
            guard register(client) else { return }
            defer { shutdown(client, Int32(SHUT_RDWR)) }
            let upstream = try LoopbackSocket.connected(to: server)
            guard register(upstream) else { return }
            defer { shutdown(upstream, Int32(SHUT_RDWR)) }
            serve(Link(client: client, upstream: upstream))
        }

        private func register(_ socket: Int32) -> Bool {
            state.update { state in
                state.open.append(socket)
                if state.isEnded { shutdown(socket, Int32(SHUT_RDWR)) }
                return !state.isEnded
            }
        }

        /// Wakes every thread.
        func end() {
            state.update { state in
                state.isEnded = true
                for socket in state.open { shutdown(socket, Int32(SHUT_RDWR)) }
            }
        }

        func close() { for socket in state.read({ $0.open }) { Glibc.close(socket) } }
    }
}
