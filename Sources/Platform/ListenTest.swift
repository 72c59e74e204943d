import Glibc

/// Whether a server could listen at an address now.
package enum ListenTest {
    /// Why it could not.
    package struct Failure: Hashable, Sendable {
        package let number: Int32

        package init(number: Int32) { self.number = number }

        /// Somebody listens there.
        package var isTaken: Bool { number == EADDRINUSE }

        /// In words for a person.
        package var words: String {
            switch number {
            case EADDRINUSE: "another program listens there"
            case EADDRNOTAVAIL: "this machine has no such address"
            case EACCES, EPERM: "this user may not use that port"
            default: unsafe String(cString: strerror(number))
            }
        }
    }

    /// Nil when it could, and when the name cannot be looked up: then the server says so itself.
    ///
    /// - Parameter host: a name or an address; empty for every address.
    package static func failure(host: String, port: UInt16) -> Failure? {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_PASSIVE
        var found: UnsafeMutablePointer<addrinfo>?
        let name = host.isEmpty ? "::" : host
        guard unsafe getaddrinfo(name, String(port), &hints, &found) == 0, let first = unsafe found
        else { return nil }
        defer { unsafe freeaddrinfo(found) }
        let descriptor = unsafe socket(
            first.pointee.ai_family, first.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue),
            first.pointee.ai_protocol)
        guard descriptor >= 0 else { return nil }
        defer { Glibc.close(descriptor) }
        // Connections that ended a moment ago do not count, as they do not for a server.
        var reuse: Int32 = 1
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        let isBound =
            unsafe bind(
                descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0
        // Two may be bound to one port before the first listens.
        guard isBound, listen(descriptor, 1) == 0 else { return Failure(number: errno) }
        return nil
    }
}
