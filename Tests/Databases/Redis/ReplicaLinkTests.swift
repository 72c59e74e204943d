import Glibc
import Model
import Platform
import TestKit
import Testing

@testable import Redis

struct ReplicaLinkTests {
    /// A socket that comes from an address and is connected to a port of the loopback.
    private func connected(from host: String, to port: UInt16) throws -> Int32 {
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        for (address, number, call) in [(host, 0, bind), ("127.0.0.1", port, connect)] {
            var place = sockaddr_in()
            place.sin_family = sa_family_t(AF_INET)
            place.sin_port = number.bigEndian
            inet_pton(AF_INET, address, &place.sin_addr)
            let status = withUnsafePointer(to: &place) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    call(made, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            try #require(status == 0)
        }
        return made
    }

    @Test func `nobody but the server that is filled gets the data`() async throws {
        try await offPool {
            var link = try ReplicaLink(host: "127.0.0.1")
            let stranger = try connected(from: "127.0.0.2", to: link.port)
            let server = try connected(from: "127.0.0.1", to: link.port)
            defer {
                close(stranger)
                close(server)
            }
            try link.accept(from: "127.0.0.1")
            try link.send("$3\r\n")
            var bytes = [UInt8](repeating: 0, count: 16)
            #expect(recv(server, &bytes, 16, 0) == 4)
            // Its connection was closed at once.
            #expect(recv(stranger, &bytes, 16, 0) <= 0)
        }
    }

    /// More than the kernel keeps between two ends of a socket.
    private static let load = [UInt8](repeating: 97, count: 24 << 20)

    /// A replica that takes nothing for two seconds, and says so many newlines a second meanwhile;
    /// then it takes everything and acknowledges.
    private func loading(_ socket: Int32, newlines: Int) -> DedicatedThread<Void> {
        DedicatedThread("replica") { () throws(TidemarkError) in
            let never = Monitor(())
            for _ in 0..<2 * max(newlines, 1) {
                if newlines > 0 { send(socket, "\n", 1, Int32(MSG_NOSIGNAL)) }
                _ = never.wait(seconds: 1 / Double(max(newlines, 1))) { _ in Bool?.none }
            }
            var left = Self.load.count
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            while left > 0 {
                let count = recv(socket, &bytes, bytes.count, 0)
                guard count > 0 else { return }
                left -= count
            }
            let ack = resp(["REPLCONF", "ACK", "7"])
            send(socket, ack, ack.count, Int32(MSG_NOSIGNAL))
        }
    }

    @Test func `a replica that loads for longer than patience lasts is waited for while it lives`()
        async throws
    {
        try await offPool {
            var link = try ReplicaLink(host: "127.0.0.1", patience: 0.7)
            let server = try connected(from: "127.0.0.1", to: link.port)
            try link.accept(from: "127.0.0.1")
            let replica = loading(server, newlines: 10)
            try link.send(Self.load.span.bytes)
            #expect(try link.command() == ["REPLCONF", "ACK", "7"])
            try replica.join()
            close(server)
        }
    }

    @Test func `a replica that takes nothing and says nothing is given up`() async throws {
        try await offPool {
            var link = try ReplicaLink(host: "127.0.0.1", patience: 0.7)
            let server = try connected(from: "127.0.0.1", to: link.port)
            try link.accept(from: "127.0.0.1")
            let replica = loading(server, newlines: 0)
            let failure = #expect(throws: TidemarkError.self) {
                try link.send(Self.load.span.bytes)
            }
            #expect(failure?.message.contains("takes no more bytes") == true)
            shutdown(server, Int32(SHUT_RDWR))
            try replica.join()
            close(server)
        }
    }
}
