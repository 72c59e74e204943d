/// The name of one archived database, as it stands in the configuration and in the archive's paths.
///
/// 1 to 63 characters of `a-z 0-9 _ -`, starting with a letter or digit.
package struct SourceID: Hashable, Sendable, Comparable, CustomStringConvertible, Codable {
    package let name: String

    /// Nil when `name` is not a valid source name.
    package init?(_ name: String) {
        let bytes = Array(name.utf8)
        guard (1...63).contains(bytes.count), bytes[0] != UInt8(ascii: "-"),
            bytes[0] != UInt8(ascii: "_"), bytes.allSatisfy(Self.isAllowed)
        else { return nil }
        self.name = name
    }

    package var description: String { name }

    package static func < (a: SourceID, b: SourceID) -> Bool { a.name < b.name }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let id = SourceID(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\(text) is not a source name")
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
