private import CPlatform

/// CRC-32C (Castagnoli), as Postgres puts it into WAL records; fed in pieces.
package struct CRC32C: Sendable {
    /// The checksum of everything fed so far.
    package private(set) var value: UInt32 = 0

    package init() {}

    package mutating func update(_ bytes: RawSpan) {
        value = unsafe bytes.withUnsafeBytes { buffer in
            unsafe tm_crc32c(value, buffer.baseAddress, buffer.count)
        }
    }
}
