import Model

/// Finds what is wrong with a source's URL without ever repeating a piece that may be a secret.
///
/// libpq's own messages quote what they cannot read: with an unescaped `/` or `@` in the password
/// that is a part of the password. So the shape is checked here, before libpq sees the URL.
enum ConnectionURL {
    /// Checks the raw text: scheme, and no stray separator that a password would need escaped.
    static func check(_ url: String, _ source: SourceID) throws(TidemarkError) {
        guard
            let rest = ["postgresql://", "postgres://"].lazy
                .filter({ url.hasPrefix($0) }).map({ url.dropFirst($0.count) }).first
        else {
            throw TidemarkError(
                .configuration, "the URL of source \(source) is no Postgres URL",
                remedy: "write postgresql://user:password@host:port/database")
        }
        let body = rest.prefix { $0 != "?" }
        let afterLogin = body.drop { $0 != "@" }.dropFirst()
        let beforePath = body.prefix { $0 != "/" }
        let isStray =
            afterLogin.contains("@") || (body.contains("@") && !beforePath.contains("@"))
            || rest.dropFirst(body.count).contains("@") || !isEscapedRight(rest)
        if isStray { throw unescaped(source) }
    }

    /// Checks what libpq understood.
    static func check(
        _ options: [String: String], _ source: SourceID
    ) throws(TidemarkError) {
        let ports = (options["port"] ?? "").split(separator: ",")
        for port in ports where UInt16(port).map({ $0 > 0 }) != true { throw unescaped(source) }
        if options["replication"] != nil {
            throw TidemarkError(
                .configuration, "the URL of source \(source) sets replication",
                remedy: "leave the parameter out; Tidemark sets it where it is needed")
        }
    }

    /// The error of a URL that libpq cannot read; names the parameter when that is what is unknown.
    static func unreadable(_ url: String, _ source: SourceID) -> TidemarkError {
        let names = Connection.parameterNames
        for pair in url.drop(while: { $0 != "?" }).dropFirst().split(separator: "&") {
            let name = pair.prefix { $0 != "=" }
            let isWord = name.utf8.allSatisfy { $0 == UInt8(ascii: "_") || isLetter($0) }
            if isWord, !name.isEmpty, name.count <= 40, !names.contains(String(name)), name != "ssl"
            {
                return TidemarkError(
                    .configuration,
                    "the URL of source \(source) has a parameter libpq does not know: \(name)",
                    remedy: "see the manual, \"Parameter Key Words\" of libpq")
            }
        }
        return unescaped(source)
    }

    private static func unescaped(_ source: SourceID) -> TidemarkError {
        TidemarkError(
            .configuration, "the URL of source \(source) cannot be read",
            remedy: "write postgresql://user:password@host:port/database with special characters "
                + "of user and password escaped: %40 for @, %2F for /, %3A for :, %25 for %")
    }

    /// Every `%` is followed by two hex digits other than 00.
    private static func isEscapedRight(_ text: Substring) -> Bool {
        let parts = text.split(separator: "%", omittingEmptySubsequences: false).dropFirst()
        return parts.allSatisfy { part in
            let digits = part.prefix(2)
            return digits.count == 2 && digits.allSatisfy(\.isHexDigit) && digits != "00"
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
}
