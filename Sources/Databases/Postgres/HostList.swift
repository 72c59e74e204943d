/// The hosts of a connection, so that one that hangs can be left out of the next attempt.
///
/// libpq tries the next host by itself when one refuses; when one does not answer at all, only its
/// blocking connect moves on, and that cannot be interrupted.
struct HostList: Sendable, Equatable, CustomStringConvertible {
    /// One host: `hostaddr` empty when only the name is given, `port` empty for the default.
    struct Host: Sendable, Equatable {
        var name: String
        var address: String
        var port: String

        var place: String {
            let host = name.isEmpty ? address : name
            if host.hasPrefix("/") || host.isEmpty {
                let socket = host.isEmpty ? "local socket" : host
                // The port is a part of the socket's name.
                return port.isEmpty || port == "5432" ? socket : "\(socket) (port \(port))"
            }
            let shown = host.contains(":") ? "[\(host)]" : host
            return "\(shown):\(port.isEmpty ? "5432" : port)"
        }
    }

    var hosts: [Host]

    /// From libpq's options, where each is a comma-separated list; one port serves all hosts.
    init(_ options: [String: String]) {
        let names = Self.list(options["host"])
        let addresses = Self.list(options["hostaddr"])
        let ports = Self.list(options["port"])
        hosts = (0..<max(1, names.count, addresses.count)).map { place in
            Host(
                name: names.indices.contains(place) ? names[place] : "",
                address: addresses.indices.contains(place) ? addresses[place] : "",
                port: ports.indices.contains(place)
                    ? ports[place] : ports.count == 1 ? ports[0] : "")
        }
    }

    private static func list(_ text: String?) -> [String] {
        guard let text, !text.isEmpty else { return [] }
        return text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    /// Without the first host of this name (or address) and port; nil when none is left.
    func dropping(_ host: String, port: String) -> HostList? {
        let isIt = { (each: Host) in
            (each.name == host || each.address == host)
                && (each.port.isEmpty ? "5432" : each.port) == (port.isEmpty ? "5432" : port)
        }
        var rest = self
        guard let place = hosts.firstIndex(where: isIt) else { return nil }
        rest.hosts.remove(at: place)
        return rest.hosts.isEmpty ? nil : rest
    }

    var parameters: [(String, String)] {
        [
            ("host", hosts.map(\.name).joined(separator: ",")),
            ("hostaddr", hosts.map(\.address).joined(separator: ",")),
            ("port", hosts.map(\.port).joined(separator: ",")),
        ].filter { !$0.1.allSatisfy { $0 == "," } }
    }

    var description: String { hosts.map(\.place).joined(separator: ", ") }
}
