/// Blanks out comments and the content of strings, so that only code is left to look at.
///
/// Lines stay where they are, and columns of lines in ASCII. Knows `//`, nested `/* */`, strings of
/// one and of several lines, raw strings, and escapes; code inside `\(…)` is blanked with its string.
/// Works on bytes: by characters, the whole tree would take half a minute.
struct CodeStripper {
    private static let newline = UInt8(ascii: "\n")
    private static let quote = UInt8(ascii: "\"")
    private static let hash = UInt8(ascii: "#")
    private static let slashes = Array("//".utf8)
    private static let opening = Array("/*".utf8)
    private static let closing = Array("*/".utf8)

    private let bytes: [UInt8]
    private var place = 0
    private var code: [UInt8] = []

    static func strip(_ text: String) -> String {
        var stripper = CodeStripper(bytes: Array(text.utf8))
        stripper.code.reserveCapacity(stripper.bytes.count)
        stripper.run()
        return String(decoding: stripper.code, as: UTF8.self)
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func run() {
        while place < bytes.count {
            let next = bytes[place]
            if isAt(Self.slashes) {
                while place < bytes.count, bytes[place] != Self.newline { blank(1) }
            } else if isAt(Self.opening) {
                comment()
            } else if next == Self.quote || (next == Self.hash && opensRawString) {
                string()
            } else {
                keep(1)
            }
        }
    }

    private func isAt(_ text: [UInt8]) -> Bool {
        guard place + text.count <= bytes.count else { return false }
        for index in text.indices where bytes[place + index] != text[index] { return false }
        return true
    }

    private var opensRawString: Bool {
        var index = place
        while index < bytes.count, bytes[index] == Self.hash { index += 1 }
        return index < bytes.count && bytes[index] == Self.quote
    }

    private mutating func blank(_ count: Int) {
        for byte in bytes[place..<min(place + count, bytes.count)] {
            code.append(byte == Self.newline ? byte : UInt8(ascii: " "))
        }
        place = min(place + count, bytes.count)
    }

    private mutating func keep(_ count: Int) {
        code += bytes[place..<min(place + count, bytes.count)]
        place = min(place + count, bytes.count)
    }

    private mutating func comment() {
        var depth = 0
        repeat {
            if isAt(Self.opening) {
                depth += 1
                blank(2)
            } else if isAt(Self.closing) {
                depth -= 1
                blank(2)
            } else {
                blank(1)
            }
        } while depth > 0 && place < bytes.count
    }

    private mutating func string() {
        var hashes: [UInt8] = []
        while bytes[place] == Self.hash {
            hashes.append(Self.hash)
            blank(1)
        }
        let long = [Self.quote, Self.quote, Self.quote]
        let quotes = isAt(long) ? long : [Self.quote]
        keep(quotes.count)
        let escape = [UInt8(ascii: "\\")] + hashes
        while place < bytes.count, !isAt(quotes + hashes) {
            if isAt(escape + [UInt8(ascii: "(")]) {
                blank(escape.count)
                interpolation()
            } else if isAt(escape) {
                blank(escape.count + 1)
            } else {
                if quotes.count == 1, bytes[place] == Self.newline { return }
                blank(1)
            }
        }
        keep(quotes.count)
        blank(hashes.count)
    }

    /// From `(` to its counterpart, strings inside included.
    private mutating func interpolation() {
        var depth = 0
        repeat {
            if bytes[place] == UInt8(ascii: "(") { depth += 1 }
            if bytes[place] == UInt8(ascii: ")") { depth -= 1 }
            if bytes[place] == Self.quote {
                let length = code.count
                string()
                // The inner string's quotes are content of the outer one.
                for index in length..<code.count where code[index] != Self.newline {
                    code[index] = UInt8(ascii: " ")
                }
            } else {
                blank(1)
            }
        } while depth > 0 && place < bytes.count
    }
}
