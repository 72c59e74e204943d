/// Percent-encoding of URLs (RFC 3986, section 2.1).
package enum PercentText {
    /// Takes `%XX` apart; nil when it is malformed or not UTF-8.
    package static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(Substring(rest.prefix(2)))
            guard digits.utf8.count == 2, digits.first != "+", digits.first != "-",
                let value = UInt8(digits, radix: 16)
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Whether a byte is a letter, a digit, `_`, `-` or `.`: plain in URLs and in file names.
    package static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
            UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// The text with each byte as `%XX` that `keeps` does not let through.
    ///
    /// - Parameter keeps: asked with a byte's place and the byte; an ASCII byte.
    package static func encoded(_ text: String, keeps: (Int, UInt8) -> Bool) -> String {
        var encoded = ""
        for (place, byte) in text.utf8.enumerated() {
            if byte < 0x80, keeps(place, byte) {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                encoded += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }
}
