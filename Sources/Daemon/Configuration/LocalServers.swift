import Glibc
package import Model

/// A database server that was found on this machine.
package struct LocalServer: Sendable, Hashable {
    package var kind: DatabaseKind
    /// `localhost:5432`, or the folder of its unix socket.
    package var place: String
    package var port: UInt16
}

/// Looks for database servers where they usually are: unix sockets and the usual ports.
package enum LocalServers {
    private static let socketFolders = ["/var/run/postgresql", "/tmp"]
    private static let ports: [(kind: DatabaseKind, port: UInt16)] = [
        (.postgres, 5432), (.redis, 6379), (.mongodb, 27017),
    ]

    /// Servers in the order Postgres, Redis, MongoDB. Takes no time: refused or absent is an answer
    /// on the loopback.
    package static func find() -> [LocalServer] {
        var found = socketFolders.flatMap(postgresSockets)
        for (kind, port) in ports where answers(port) {
            // The same server, seen by its socket before.
            if found.contains(where: { $0.kind == kind && $0.port == port }) { continue }
            found.append(LocalServer(kind: kind, place: "localhost:\(port)", port: port))
        }
        return found
    }

    /// Sockets are named `.s.PGSQL.<port>`.
    private static func postgresSockets(_ folder: String) -> [LocalServer] {
        guard let directory = unsafe opendir(folder) else { return [] }
        defer { unsafe closedir(directory) }
        var found: [LocalServer] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            guard name.hasPrefix(".s.PGSQL."), let port = UInt16(name.dropFirst(9)),
                connects(toSocket: folder + "/" + name)
            else { continue }
            found.append(LocalServer(kind: .postgres, place: folder, port: port))
        }
        return found.sorted { $0.port < $1.port }
    }

    private static func connects(toSocket path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe connects(AF_UNIX, pointer, MemoryLayout<sockaddr_un>.size)
        }
    }

    private static func answers(_ port: UInt16) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe connects(AF_INET, pointer, MemoryLayout<sockaddr_in>.size)
        }
    }

    private static func connects<Address>(
        _ family: Int32, _ address: UnsafePointer<Address>, _ size: Int
    ) -> Bool {
        let descriptor = socket(
            family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe connect(descriptor, $0, socklen_t(size)) == 0
        }
    }
}
