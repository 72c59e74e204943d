import Glibc
import Model

/// TCP sockets of 127.0.0.1.
enum LoopbackSocket {
    /// One that is connected to `port`.
    static func connected(to port: Int) throws(TidemarkError) -> Int32 {
        try made(port, "connect to") { connect($0, $1, $2) }
    }

    /// One that listens on `port`.
    static func listening(on port: Int, backlog: Int32) throws(TidemarkError) -> Int32 {
        try made(port, "listen on") { descriptor, address, length in
            let status = bind(descriptor, address, length)
            return status == 0 ? listen(descriptor, backlog) : status
        }
    }

    /// A socket for which `use` gave 0.
    private static func made(
        _ port: Int, _ what: String,
        _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(TidemarkError) -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                use(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            let reason = errno
            close(descriptor)
            throw TidemarkError(.failed, "cannot \(what) port \(port) (errno \(reason))")
        }
        return descriptor
    }
}
