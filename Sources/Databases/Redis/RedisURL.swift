import Model
import Platform

/// The parts of a source's URL.
struct RedisURL: Sendable, Hashable {
    var endpoint: RedisConfiguration.Endpoint
    var isEncrypted = false
    var user = ""
    var password = ""
    var trust = TLSTrust()

    init(_ url: String, _ source: SourceID) throws(TidemarkError) {
        guard let parts = Self.split(url) else {
            throw Self.unreadable(source, "is not a Redis URL")
        }
        var (user, password) = ("", "")
        if let login = parts.login {
            let colon = login.firstIndex(of: ":")
            guard let name = PercentText.decoded(login[..<(colon ?? login.endIndex)]),
                let secret = PercentText.decoded(
                    colon.map { login[login.index(after: $0)...] } ?? "")
            else { throw Self.unreadable(source, "has a % that no two hex digits follow") }
            (user, password) = (name, secret)
        }
        switch parts.scheme {
        case "redis", "rediss":
            endpoint = try Self.endpoint(parts.place, source)
            isEncrypted = parts.scheme == "rediss"
        case "redis+unix":
            guard let path = PercentText.decoded(parts.place), path.hasPrefix("/") else {
                throw Self.unreadable(source, "names no socket: redis+unix:///path/of/the.sock")
            }
            endpoint = .unix(path: path)
        default: throw Self.unreadable(source, "has the unknown scheme \(parts.scheme)")
        }
        self.user = user
        self.password = password
        trust = try Self.trust(parts.query, source)
        // A user without a password cannot log in; `redis://secret@host` is a common slip.
        if !user.isEmpty, password.isEmpty {
            throw Self.unreadable(source, "has a user without a password")
        }
    }

    private static func split(
        _ url: String
    ) -> (scheme: String, login: Substring?, place: Substring, query: Substring)? {
        guard let mark = url.firstRange(of: "://") else { return nil }
        var rest = url[mark.upperBound...]
        var query: Substring = ""
        if let question = rest.firstIndex(of: "?") {
            query = rest[rest.index(after: question)...]
            rest = rest[..<question]
        }
        var login: Substring?
        // Sockets may lie below a folder with an @ in its name; a login comes before any slash.
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        if let at = rest[..<slash].lastIndex(of: "@") {
            login = rest[..<at]
            rest = rest[rest.index(after: at)...]
        }
        return (url[..<mark.lowerBound].lowercased(), login, rest, query)
    }

    private static func endpoint(
        _ place: Substring, _ source: SourceID
    ) throws(TidemarkError) -> RedisConfiguration.Endpoint {
        let authority = place.prefix { $0 != "/" }
        var host = authority
        var port: Substring?
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else {
                throw unreadable(source, "has an IPv6 address without its closing bracket")
            }
            host = authority[authority.index(after: authority.startIndex)..<bracket]
            let rest = authority[authority.index(after: bracket)...]
            if rest.hasPrefix(":") { port = rest.dropFirst() }
        } else if let colon = authority.lastIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        guard let name = PercentText.decoded(host) else {
            throw unreadable(source, "has an unreadable host")
        }
        let number = port.map { UInt16($0) ?? 0 } ?? 6379
        guard number > 0 else {
            throw unreadable(source, "has a port that is no number from 1 to 65535")
        }
        return .tcp(host: name.isEmpty ? "127.0.0.1" : name, port: number)
    }

    private static func trust(
        _ query: Substring, _ source: SourceID
    ) throws(TidemarkError) -> TLSTrust {
        var trust = TLSTrust()
        for pair in query.split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1)
            let value = sides.count == 2 ? PercentText.decoded(sides[1]) : nil
            switch sides.first {
            case "cacert": trust.authorities = value
            case "cert": trust.certificate = value
            case "key": trust.key = value
            default:
                throw unreadable(
                    source,
                    "has the unknown option \(sides.first ?? ""): it may have cacert, "
                        + "cert and key")
            }
        }
        return trust
    }

    /// Never shows the URL: it may hold a password.
    private static func unreadable(_ source: SourceID, _ what: String) -> TidemarkError {
        TidemarkError(
            .configuration, "source \(source): its url \(what)",
            remedy: "write it as redis://user:password@host:6379, rediss://… for TLS, or "
                + "redis+unix:///path/of/the.sock, with %XX for special characters")
    }
}
