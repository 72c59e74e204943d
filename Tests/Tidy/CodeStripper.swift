/// Blanks out comments and the content of strings, so that only code is left to look at.
///
/// Lines and columns stay where they are. Knows `//`, nested `/* */`, strings of one and of several
/// lines, raw strings, and escapes; code inside `\(…)` is blanked with its string.
struct CodeStripper {
    private var rest: Substring
    private var code = ""

    static func strip(_ text: String) -> String {
        var stripper = CodeStripper(rest: Substring(text))
        stripper.run()
        return stripper.code
    }

    private mutating func run() {
        while let next = rest.first {
            if rest.hasPrefix("//") {
                blank(rest.prefix { !$0.isNewline }.count)
            } else if rest.hasPrefix("/*") {
                comment()
            } else if next == "\"" || (next == "#" && opensRawString) {
                string()
            } else {
                code.append(next)
                rest.removeFirst()
            }
        }
    }

    private var opensRawString: Bool { rest.drop { $0 == "#" }.first == "\"" }

    private mutating func blank(_ count: Int) {
        for character in rest.prefix(count) { code.append(character.isNewline ? character : " ") }
        rest = rest.dropFirst(count)
    }

    private mutating func comment() {
        var depth = 0
        repeat {
            if rest.hasPrefix("/*") {
                depth += 1
                blank(2)
            } else if rest.hasPrefix("*/") {
                depth -= 1
                blank(2)
            } else {
                blank(1)
            }
        } while depth > 0 && !rest.isEmpty
    }

    private mutating func string() {
        let hashes = String(rest.prefix { $0 == "#" })
        blank(hashes.count)
        let quotes = rest.hasPrefix("\"\"\"") ? "\"\"\"" : "\""
        keep(quotes.count)
        let end = quotes + hashes
        let escape = "\\" + hashes
        while !rest.isEmpty, !rest.hasPrefix(end) {
            if rest.hasPrefix(escape + "(") {
                blank(escape.count)
                interpolation()
            } else if rest.hasPrefix(escape) {
                blank(escape.count + 1)
            } else {
                if quotes.count == 1, rest.first?.isNewline == true { return }
                blank(1)
            }
        }
        keep(min(quotes.count, rest.count))
        blank(min(hashes.count, rest.count))
    }

    /// From `(` to its counterpart, strings inside included.
    private mutating func interpolation() {
        var depth = 0
        repeat {
            if rest.first == "(" { depth += 1 }
            if rest.first == ")" { depth -= 1 }
            if rest.first == "\"" {
                let length = code.count
                string()
                // The inner string's quotes are content of the outer one.
                code =
                    String(code.prefix(length))
                    + code.dropFirst(length).map { $0.isNewline ? $0 : " " }
            } else {
                blank(1)
            }
        } while depth > 0 && !rest.isEmpty
    }

    private mutating func keep(_ count: Int) {
        code += rest.prefix(count)
        rest = rest.dropFirst(count)
    }
}
