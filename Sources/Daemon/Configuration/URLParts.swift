/// A URL cut at its separators, byte for byte, nothing decoded.
///
/// `scheme://userinfo@hosts/path?query`; a database URL may list several hosts, so nothing in
/// `hosts` is looked at.
struct URLParts: Sendable, Hashable {
    var scheme: String
    /// Nil when there is no `@`.
    var userInfo: String?
    var hosts: String
    /// With its leading `/`; empty when there is none.
    var path: String
    /// Without the `?`; nil when there is none.
    var query: String?

    /// Nil when the text does not start with a scheme and `://`, or holds a space or control sign.
    init?(_ text: String) {
        guard let mark = text.firstRange(of: "://"), Self.isScheme(text[..<mark.lowerBound]),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
        else { return nil }
        scheme = text[..<mark.lowerBound].lowercased()
        var rest = text[mark.upperBound...]
        if let fragment = rest.firstIndex(of: "#") { rest = rest[..<fragment] }
        if let question = rest.firstIndex(of: "?") {
            query = String(rest[rest.index(after: question)...])
            rest = rest[..<question]
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        path = String(rest[slash...])
        let authority = rest[..<slash]
        if let at = authority.lastIndex(of: "@") {
            userInfo = String(authority[..<at])
            hosts = String(authority[authority.index(after: at)...])
        } else {
            hosts = String(authority)
        }
    }

    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.first, first.isASCII, first.isLetter else { return false }
        return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
    }
}

extension URLParts {
    /// Query keys whose value is left out of every message: any that contains one of these.
    private static let secretWords = ["password", "passwd", "secret", "token", "key", "credential"]

    /// The URL without what is secret: no password, no secret query values.
    var redacted: String {
        var text = scheme + "://"
        if let userInfo {
            let colon = userInfo.firstIndex(of: ":")
            text += userInfo[..<(colon ?? userInfo.endIndex)] + (colon == nil ? "@" : ":***@")
        }
        text += hosts + path
        guard let query else { return text }
        let pairs = query.split(separator: "&", omittingEmptySubsequences: false).map(Self.redact)
        return text + "?" + pairs.joined(separator: "&")
    }

    private static func redact(_ pair: Substring) -> String {
        guard let equals = pair.firstIndex(of: "=") else { return String(pair) }
        let key = pair[..<equals].lowercased()
        return secretWords.contains { key.contains($0) } ? pair[...equals] + "***" : String(pair)
    }

    /// The password in the user information, as it stands; nil when there is none.
    var password: Substring? {
        guard let userInfo, let colon = userInfo.firstIndex(of: ":") else { return nil }
        return userInfo[userInfo.index(after: colon)...]
    }
}
