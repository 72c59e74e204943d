import Glibc
package import Model
import Platform

/// A small HTTP server on 127.0.0.1 that keeps what is sent to it, and answers as it is told.
package final class HTTPReceiver: Sendable {
    /// A request that came.
    package struct Received: Sendable {
        package var head: String
        package var body: String
        /// Of `SocketWait.now()`.
        package var at: Double
    }

    private struct State: Sendable {
        var received: [Received] = []
        var statuses: [Int] = []
        var isSilent = false
        var isClosed = false
    }

    package let port: Int
    private let listener: Int32
    private let state = Monitor(State())

    package init() throws(TidemarkError) {
        port = try freePort()
        listener = try LoopbackSocket.listening(on: port, backlog: 64)
        _ = DedicatedThread<Void>("test-http") { [state, listener] in
            Self.serve(listener, state)
            Glibc.close(listener)
        }
    }

    deinit { state.update { $0.isClosed = true } }

    /// The next requests are answered with these statuses, all others with 200.
    package func answer(_ statuses: [Int]) { state.update { $0.statuses = statuses } }

    /// Requests get no answer at all.
    package func fallSilent(_ isSilent: Bool) { state.update { $0.isSilent = isSilent } }

    /// Everything that has come.
    package var received: [Received] { state.read { $0.received } }

    private static func serve(_ listener: Int32, _ state: Monitor<State>) {
        var silent: [LoopbackConnection] = []
        while !state.read({ $0.isClosed }) {
            var wait = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
            guard poll(&wait, 1, 50) > 0 else { continue }
            let accepted = accept(listener, nil, nil)
            guard accepted >= 0 else { continue }
            let connection = LoopbackConnection(accepted: accepted)
            guard let request = read(connection) else { continue }
            let status = state.update { state -> Int? in
                state.received.append(request)
                if state.isSilent { return nil }
                return state.statuses.isEmpty ? 200 : state.statuses.removeFirst()
            }
            guard let status else {
                silent.append(connection)
                continue
            }
            connection.send(
                "HTTP/1.1 \(status) Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
    }

    private static func read(_ connection: LoopbackConnection) -> Received? {
        let text = try? connection.receive(seconds: 5) { (text: String) in
            guard let end = text.firstRange(of: "\r\n\r\n") else { return false }
            let length = text[..<end.lowerBound].split(separator: "\r\n").compactMap { line in
                let parts = line.split(separator: ":", maxSplits: 1)
                return parts.first?.lowercased() == "content-length"
                    ? Int(parts[1].drop { $0 == " " }) : nil
            }.first
            return text[end.upperBound...].utf8.count >= length ?? 0
        }
        guard let text, let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        return Received(
            head: String(text[..<end.lowerBound]), body: String(text[end.upperBound...]),
            at: SocketWait.now())
    }
}
