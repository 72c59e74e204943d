import Model
import Platform

/// Where a URL leads to, whatever user, database and options it names.
struct ServerAddress {
    /// Hosts with their ports; none for a socket.
    private let hosts: [(name: String, port: String)]

    init(_ url: SourceURL) {
        let usual = url.kind == .redis ? "6379" : url.kind == .mongodb ? "27017" : "5432"
        guard let scheme = url.redacted.firstRange(of: "://") else {
            hosts = []
            return
        }
        let authority = url.redacted[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
        let places = authority.split(separator: "@").last ?? ""
        hosts = places.split(separator: ",").map { place in
            guard let colon = place.lastIndex(of: ":"), !place[colon...].contains("]") else {
                return (Self.plain(place), usual)
            }
            return (Self.plain(place[..<colon]), String(place[place.index(after: colon)...]))
        }
    }

    /// A numeric IPv6 address stands in brackets.
    private static func plain(_ host: Substring) -> String {
        String(host.filter { $0 != "[" && $0 != "]" })
    }

    /// Whether both have a host in common. Asks the resolver where the names differ.
    func isSame(as other: ServerAddress) -> Bool {
        hosts.contains { one in
            other.hosts.contains {
                one.port == $0.port && HostAddress.isSame(one.name, $0.name)
            }
        }
    }
}
