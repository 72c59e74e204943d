import Glibc

/// Whether two names of hosts mean the same machine.
package enum HostAddress {
    /// By name, else by the addresses that they have here. Asks the resolver, which may take its
    /// time.
    package static func isSame(_ a: String, _ b: String) -> Bool {
        if a.lowercased() == b.lowercased() { return true }
        return !numbers(a).isDisjoint(with: numbers(b))
    }

    /// Addresses in numbers; none where the name is unknown.
    static func numbers(_ host: String) -> Set<String> {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, nil, &hints, &found) == 0 else { return [] }
        defer { unsafe freeaddrinfo(found) }
        var numbers: Set<String> = []
        var next = unsafe found
        while let this = unsafe next {
            var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let status = unsafe getnameinfo(
                this.pointee.ai_addr, this.pointee.ai_addrlen, &name, socklen_t(name.count), nil, 0,
                NI_NUMERICHOST)
            if status == 0 {
                numbers.insert(
                    String(
                        decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
                        as: UTF8.self))
            }
            unsafe next = unsafe this.pointee.ai_next
        }
        return numbers
    }
}
