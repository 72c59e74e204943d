package import Model

/// How to reach one Redis, and who we are there.
///
/// `redis://[user[:password]@]host[:port]`, `rediss://…` for TLS, and
/// `redis+unix://[user[:password]@]/path/of/the.sock`. A database number in the URL's path is
/// ignored: the replication stream carries them all.
package struct RedisConfiguration: Sendable {
    package enum Endpoint: Hashable, Sendable {
        case tcp(host: String, port: UInt16)
        case unix(path: String)
    }

    package let source: SourceID
    package let endpoint: Endpoint
    package let isEncrypted: Bool
    /// Empty: Redis's default user.
    package let user: String
    let password: String
    /// For TLS: a file of certificates to trust instead of the system's (`?cacert=`), and our own
    /// (`?cert=`, `?key=`).
    package let trust: TLSTrust

    /// Our name at the server; `CLIENT LIST TYPE replica` shows it.
    let clientName = "tidemark"
    /// Seconds for the server to accept a connection, and to answer a question.
    let connectSeconds = 10.0
    let answerSeconds = 30.0
    /// Seconds without a byte after which the stream counts as dead: the default `repl-timeout`,
    /// six times the default PING period.
    let silenceSeconds = 60.0
    /// Seconds without a byte while a stream is joined: the server may fork first, and waits five
    /// seconds for other replicas before it does.
    var joinSeconds = 60.0

    package var kind: DatabaseKind { .redis }

    package init(source: SourceID, url: String) throws(TidemarkError) {
        let parts = try RedisURL(url, source)
        self.source = source
        endpoint = parts.endpoint
        isEncrypted = parts.isEncrypted
        user = parts.user
        password = parts.password
        trust = parts.trust
    }

    /// `cache:6379`; for messages.
    package var place: String {
        switch endpoint {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }

    /// As ACL statements name us.
    var aclUser: String { user.isEmpty ? "default" : user }

    /// The AUTH command; nil when the URL has no password.
    var authentication: [String]? {
        guard !password.isEmpty || !user.isEmpty else { return nil }
        return user.isEmpty ? ["AUTH", password] : ["AUTH", user, password]
    }
}

extension RedisConfiguration: CustomStringConvertible {
    /// Never the URL: it may hold a password.
    package var description: String { "redis \(source) at \(place)" }
}
