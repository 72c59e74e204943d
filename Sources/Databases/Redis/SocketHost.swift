import Glibc

/// The addresses at the ends of a socket, in numbers.
enum SocketHost {
    /// Nil for a unix socket.
    static func own(_ descriptor: Int32) -> String? { host(descriptor, isPeer: false) }

    /// Nil for a unix socket, and where nobody is connected.
    static func peer(_ descriptor: Int32) -> String? { host(descriptor, isPeer: true) }

    private static func host(_ descriptor: Int32, isPeer: Bool) -> String? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let isKnown = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                let status =
                    unsafe isPeer
                    ? getpeername(descriptor, address, &length)
                    : getsockname(descriptor, address, &length)
                return unsafe status == 0 && address.pointee.sa_family != sa_family_t(AF_UNIX)
                    && getnameinfo(
                        address, length, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) == 0
            }
        }
        guard isKnown else { return nil }
        return String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
