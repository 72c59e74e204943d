/// Quoting for statements and replication commands.
enum SQL {
    /// As an identifier; plain lower-case names stay as they are.
    static func name(_ name: String) -> String {
        let isPlain =
            name.utf8.first.map { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
        if isPlain, name.utf8.allSatisfy(isPlainByte) { return name }
        return quoted(name)
    }

    /// As an identifier, always in double quotes.
    static func quoted(_ name: String) -> String { wrap(name, "\"") }

    /// As a string literal. Backslashes would need `standard_conforming_strings`, on since 9.1; the
    /// replication grammar knows no escapes either.
    static func literal(_ text: String) -> String { wrap(text, "'") }

    private static func wrap(_ text: String, _ quote: Character) -> String {
        var result = String(quote)
        for character in text where character != "\0" {
            result.append(character)
            if character == quote { result.append(quote) }
        }
        result.append(quote)
        return result
    }

    private static func isPlainByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
