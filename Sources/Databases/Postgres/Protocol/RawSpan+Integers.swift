/// Fixed-width integers out of lent bytes. Every offset is checked against the span's end.
extension RawSpan {
    /// The server's own memory order; WAL is read on little-endian machines only.
    func little<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type) -> T {
        T(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }

    /// Network order, as the replication protocol sends it.
    func big<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type) -> T {
        T(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }

    func byte(_ offset: Int) -> UInt8 {
        unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// True when every byte is zero.
    var isZero: Bool {
        var offset = 0
        while offset + 8 <= byteCount {
            if little(offset, as: UInt64.self) != 0 { return false }
            offset += 8
        }
        while offset < byteCount {
            if byte(offset) != 0 { return false }
            offset += 1
        }
        return true
    }
}

extension [UInt8] {
    /// Appends in network order.
    mutating func appendBig<T: FixedWidthInteger>(_ value: T) {
        for shift in stride(from: T.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: value >> T(shift)))
        }
    }
}
