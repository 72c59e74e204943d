package import Model

/// The URL of a database. Its kind comes from the scheme; printing it never shows a password.
package struct SourceURL: Sendable, Hashable, CustomStringConvertible {
    /// Schemes by kind; the first of each is the one shown in messages.
    static let schemes: [(scheme: String, kind: DatabaseKind)] = [
        ("postgresql", .postgres), ("postgres", .postgres), ("mongodb", .mongodb),
        ("mongodb+srv", .mongodb), ("redis", .redis), ("rediss", .redis), ("redis+unix", .redis),
    ]

    package let kind: DatabaseKind
    /// The whole URL as the database's own client library takes it, with password.
    package let secret: Secret
    /// For messages, documents and logs.
    package let redacted: String
    /// The first path segment, still percent-encoded; empty when there is none.
    package let database: String
    /// The role, still percent-encoded; empty when the URL names none.
    package let user: String

    /// Nil when the text is not a URL of a database that Tidemark knows.
    package init?(_ text: String) {
        guard let parts = URLParts(text),
            let known = Self.schemes.first(where: { $0.scheme == parts.scheme })
        else { return nil }
        kind = known.kind
        secret = Secret(text)
        redacted = parts.redacted
        user = String(parts.userInfo?.prefix { $0 != ":" } ?? "")
        database = String(parts.path.split(separator: "/").first ?? "")
    }

    package var description: String { redacted }
}
