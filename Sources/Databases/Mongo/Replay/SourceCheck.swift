import Model
import Platform

/// Whether a live server is the one that the archive is of: a restore never writes over it.
///
/// A set has an id for life (`Questions.identity`). One that was initiated anew has another,
/// whatever its hosts: it may be filled. Where the user may not see the id, there is the name of
/// the set, which many share; then hosts are compared with those of the source's URL.
struct SourceCheck {
    /// What the archive knows its source by.
    let archived: String
    /// `db1:27017`, each; empty where no configuration names the source.
    let places: [String]

    init(_ order: RestoreOrder) throws(TidemarkError) {
        archived = order.descriptor.identity
        places =
            try order.origin.url.map { (url) throws(TidemarkError) in
                try MongoConfiguration(source: order.source, url: url).places
            } ?? []
    }

    /// Nil where it is another; else what tells it, as a part of a sentence.
    ///
    /// - Parameters:
    ///   - identity: of the server; empty for a server of its own.
    ///   - own: where it is reached, by itself and by the URL of the restore.
    func proof(_ identity: String, _ own: [String]) -> String? {
        if Self.isID(identity), Self.isID(archived) {
            return identity == archived ? "both are the set or cluster \(identity)" : nil
        }
        // A server of its own has no history to archive.
        if identity.isEmpty, !archived.isEmpty { return nil }
        guard let place = own.first(where: { one in places.contains { Self.isSame(one, $0) } })
        else { return nil }
        return "its user may not see the set's id, and the configuration has the source at \(place)"
    }

    /// Twelve bytes in hexadecimal digits, and no name of a set.
    private static func isID(_ identity: String) -> Bool {
        identity.utf8.count == 24 && identity.allSatisfy(\.isHexDigit)
    }

    private static func isSame(_ a: String, _ b: String) -> Bool {
        let (a, b) = (split(a), split(b))
        return a.port == b.port && HostAddress.isSame(a.host, b.host)
    }

    private static func split(_ place: String) -> (host: String, port: String) {
        guard let colon = place.lastIndex(of: ":"), !place[colon...].contains("]") else {
            return (place, "27017")
        }
        let host = place[..<colon].filter { $0 != "[" && $0 != "]" }
        return (host, String(place[place.index(after: colon)...]))
    }
}
