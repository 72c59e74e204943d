import Glibc
package import Model
import Platform

/// A TCP connection to a port of 127.0.0.1, byte for byte; blocking, every wait bounded.
package final class LoopbackConnection {
    private let descriptor: Int32

    package init(_ port: Int) throws(TidemarkError) {
        descriptor = try LoopbackSocket.connected(to: port)
    }

    /// Takes over a connection that was accepted.
    init(accepted descriptor: Int32) { self.descriptor = descriptor }

    deinit { Glibc.close(descriptor) }

    /// Sends as much as the other side takes; false when it has closed.
    @discardableResult
    package func send(_ text: String) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            bytes = bytes.dropFirst(count)
        }
        return true
    }

    /// What arrives next; empty when the other side has closed, nil when nothing came in time.
    package func receive(seconds: Double) -> [UInt8]? {
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&wait, 1, Int32(seconds * 1000)) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : []
    }

    /// Everything until the other side closes, or `isEnough`. Throws `failed` when that takes
    /// longer than `seconds`.
    package func receive(
        seconds: Double, until isEnough: (String) -> Bool
    ) throws(TidemarkError) -> String {
        let end = SocketWait.now() + seconds
        var bytes: [UInt8] = []
        while true {
            let left = end - SocketWait.now()
            guard left > 0, let more = receive(seconds: left) else {
                throw TidemarkError(
                    .failed,
                    "no whole answer within \(seconds) s: "
                        + String(decoding: bytes.suffix(500), as: UTF8.self))
            }
            bytes += more
            let text = String(decoding: bytes, as: UTF8.self)
            if more.isEmpty || isEnough(text) { return text }
        }
    }
}
