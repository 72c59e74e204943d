package import Model
import Glibc

/// TCP ports of 127.0.0.1.
package enum LoopbackPort {
    /// One that nobody listens on now.
    package static func free() throws(TidemarkError) -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { if descriptor >= 0 { Glibc.close(descriptor) } }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else {
            throw TidemarkError(.failed, "found no free port", remedy: "name one with --port")
        }
        return UInt16(bigEndian: address.sin_port)
    }
}
