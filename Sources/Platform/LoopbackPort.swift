package import Model
import Glibc

/// TCP ports of 127.0.0.1.
package enum LoopbackPort {
    /// One that nobody listens on now.
    package static func free() throws(TidemarkError) -> UInt16 {
        guard let port = bound(to: 0, isReused: false) else {
            throw TidemarkError(.failed, "found no free port", remedy: "name one with --port")
        }
        return port
    }

    /// Whether a server could listen there now. Connections that ended a moment ago do not count,
    /// as they do not for a server.
    package static func isFree(_ port: UInt16) -> Bool { bound(to: port, isReused: true) != nil }

    /// The port that could be bound; 0 asks for any.
    private static func bound(to port: UInt16, isReused: Bool) -> UInt16? {
        let descriptor = socket(
            AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { Glibc.close(descriptor) }
        var reuse: Int32 = isReused ? 1 : 0
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        return isBound ? UInt16(bigEndian: address.sin_port) : nil
    }
}
