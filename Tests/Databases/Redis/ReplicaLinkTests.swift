import Glibc
import Model
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
}
