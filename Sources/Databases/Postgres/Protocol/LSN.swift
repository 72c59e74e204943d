/// Log sequence numbers: byte addresses in a server's WAL, written `high/low` in hex (`0/3000148`).
///
/// Values are plain `UInt64` ordinals everywhere; this is their notation, as `pg_lsn_in` and
/// `pg_lsn_out` have it (src/backend/utils/adt/pg_lsn.c).
package enum LSN {
    /// No byte of WAL: the server never writes at address 0.
    package static let none: UInt64 = 0

    /// `0/3000148`; capitals, no leading zeros.
    package static func text(_ lsn: UInt64) -> String {
        String(lsn >> 32, radix: 16, uppercase: true) + "/"
            + String(lsn & 0xFFFF_FFFF, radix: 16, uppercase: true)
    }

    /// Nil unless the text is one to eight hex digits, `/`, and one to eight hex digits.
    package static func parse(_ text: some StringProtocol) -> UInt64? {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count == 2, let high = hex(parts[0]), let low = hex(parts[1])
        else { return nil }
        return high << 32 | low
    }

    private static func hex(_ digits: some Collection<UInt8>) -> UInt64? {
        guard (1...8).contains(digits.count) else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard let nibble = Character(Unicode.Scalar(digit)).hexDigitValue else { return nil }
            value = value << 4 | UInt64(nibble)
        }
        return value
    }
}
