/// The checksum at the end of an RDB: CRC-64 of Jones's polynomial, reflected, started at 0
/// (Redis's `crc64.c`). Eight bytes at a step.
package struct CRC64: Sendable, Hashable {
    package private(set) var value: UInt64 = 0

    package init() {}

    package mutating func update(_ bytes: RawSpan) {
        let table = Self.table.span
        var crc = value
        var i = 0
        let end = bytes.byteCount
        while end &- i >= 8 {
            // Inside the span, as the line above says; any eight bytes are a number.
            crc ^= unsafe bytes.unsafeLoadUnaligned(fromByteOffset: i, as: UInt64.self)
            var next: UInt64 = 0
            for step in 0..<8 {
                let byte = Int(crc &>> UInt64(8 &* step) & 0xff)
                next ^= table[(7 &- step) &* 256 &+ byte]
            }
            crc = next
            i &+= 8
        }
        while i < end {
            let byte = unsafe bytes.unsafeLoad(fromByteOffset: i, as: UInt8.self)
            crc = table[Int((crc ^ UInt64(byte)) & 0xff)] ^ (crc >> 8)
            i &+= 1
        }
        value = crc
    }

    /// Row n holds the effect of a byte that n further bytes follow.
    private static let table: [UInt64] = {
        let polynomial: UInt64 = 0x95ac_9329_ac4b_c9b5
        var table = [UInt64](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt64(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ polynomial : crc >> 1 }
            table[byte] = crc
        }
        for row in 1..<8 {
            for byte in 0..<256 {
                let before = table[(row - 1) * 256 + byte]
                table[row * 256 + byte] = table[Int(before & 0xff)] ^ before >> 8
            }
        }
        return table
    }()
}
