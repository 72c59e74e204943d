package import Model
import Platform
import Glibc

/// A TCP port of 127.0.0.1 that nothing listens on, given out once per process.
///
/// It lies below the range that the kernel takes for outgoing connections (32768 and up), so that
/// none of those can take it while a server is being restarted.
package func freePort() throws(TidemarkError) -> Int {
    for _ in 0..<1000 {
        let port = Int.random(in: 20000..<32000)
        let fresh = givenPorts.update { $0.insert(port).inserted }
        if fresh, canBind(port) { return port }
    }
    throw TidemarkError(.failed, "found no free port on 127.0.0.1")
}

private let givenPorts = Monitor<Set<Int>>([])

private func canBind(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    return withUnsafePointer(to: address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
