/// What a collection is known by for life, whatever its name: binary of subtype 4.
package struct CollectionUUID: Hashable, Sendable, CustomStringConvertible {
    static let subtype: UInt8 = 4
    let bytes: [UInt8]

    /// Nil unless there are sixteen bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// From the 32 digits of a dump's metadata, with or without dashes.
    package init?(hex text: String) {
        let digits = text.filter { $0 != "-" }.compactMap(\.hexDigitValue)
        guard digits.count == 32 else { return nil }
        bytes = (0..<16).map { UInt8(digits[2 * $0] << 4 | digits[2 * $0 + 1]) }
    }

    /// 32 digits without dashes, as mongodump writes it.
    package var description: String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
