import Model

/// The 512-byte header block of tar: POSIX ustar (IEEE 1003.1, pax, "ustar Interchange Format"),
/// as Postgres writes it in `src/port/tar.c`, with GNU's binary sizes for files of 8 GiB and more.
struct TarHeader: Sendable {
    static let blockBytes = 512

    let name: String
    let link: String
    let type: UInt8
    let size: UInt64

    /// Nil for a block of zeros, which ends the archive. Throws `archiveDamaged` for a block that
    /// is no header.
    init?(_ block: [UInt8]) throws(TidemarkError) {
        precondition(block.count == Self.blockBytes, "a tar header has 512 bytes")
        if block.allSatisfy({ $0 == 0 }) { return nil }
        guard let sum = Self.number(block[148..<156]), sum == Self.checksum(block) else {
            throw TidemarkError(
                .archiveDamaged, "a tar header of the base backup has a wrong checksum",
                remedy: "restore from another base backup (`tidemark list`)")
        }
        guard let size = Self.number(block[124..<136]) else {
            throw TidemarkError(
                .archiveDamaged, "a tar header of the base backup has no readable size",
                remedy: "restore from another base backup (`tidemark list`)")
        }
        self.size = size
        type = block[156]
        link = Self.text(block[157..<257])
        let prefix = Self.isUstar(block) ? Self.text(block[345..<500]) : ""
        let base = Self.text(block[0..<100])
        name = prefix.isEmpty ? base : prefix + "/" + base
    }

    private static func isUstar(_ block: [UInt8]) -> Bool {
        block[257..<263].elementsEqual([0x75, 0x73, 0x74, 0x61, 0x72, 0])
    }

    /// The sum of all bytes, the checksum field itself counted as spaces.
    private static func checksum(_ block: [UInt8]) -> UInt64 {
        var sum: UInt64 = 8 * 32
        for (index, byte) in block.enumerated() where !(148..<156).contains(index) {
            sum += UInt64(byte)
        }
        return sum
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String {
        String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Octal digits, or big-endian binary when the first bit is set.
    private static func number(_ field: ArraySlice<UInt8>) -> UInt64? {
        guard let first = field.first else { return nil }
        if first & 0x80 != 0 {
            var value = UInt64(first & 0x7f)
            for byte in field.dropFirst() {
                guard value >> 56 == 0 else { return nil }
                value = value << 8 | UInt64(byte)
            }
            return value
        }
        let digits = field.drop { $0 == 32 }.prefix { $0 != 0 && $0 != 32 }
        return UInt64(String(decoding: digits, as: UTF8.self), radix: 8)
    }
}
