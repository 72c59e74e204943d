import Crypto

/// The checksum inside a JSON document: its first line, `  "checksum" : "…",`.
///
/// The value is the SHA-256, in lower-case hex, of the whole file with sixty-four zeros in the
/// place of the value. So it is checked without parsing anything, and by hand with
/// `sed 's/"checksum" : "[0-9a-f]*"/"checksum" : "000…0"/' FILE | sha256sum`.
enum DocumentChecksum {
    private static let start = Array("{\n  \"checksum\" : \"".utf8)
    private static let end = Array("\",\n".utf8)
    private static let digits = 64

    /// Adds the line to an object that has members, as `JSONDocument` writes it.
    static func add(to document: [UInt8]) -> [UInt8] {
        precondition(
            document.starts(with: Array("{\n  ".utf8)), "only an object with members is summed")
        var bytes = start + [UInt8](repeating: UInt8(ascii: "0"), count: digits) + end
        bytes += document.dropFirst(2)
        let sum = hex(bytes)
        bytes.replaceSubrange(start.count..<start.count + digits, with: sum)
        return bytes
    }

    /// What is wrong with a document; nil when it holds what was written.
    static func problem(_ document: [UInt8]) -> String? {
        let value = start.count..<start.count + digits
        guard document.starts(with: start), document.count > value.upperBound else {
            return "it does not begin with a checksum"
        }
        var bytes = document
        bytes.replaceSubrange(
            value, with: [UInt8](repeating: UInt8(ascii: "0"), count: digits))
        return document[value].elementsEqual(hex(bytes))
            ? nil : "its checksum does not fit what it holds"
    }

    private static func hex(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return SHA256.hash(data: bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}
