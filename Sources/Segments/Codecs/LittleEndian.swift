extension Array<UInt8> {
    /// The number at `offset`, least significant byte first.
    ///
    /// - Precondition: the array holds it whole.
    package func loadLittleEndian<T: FixedWidthInteger & UnsignedInteger>(
        _ type: T.Type, at offset: Int
    ) -> T {
        var value: T = 0
        for index in 0..<T.bitWidth / 8 { value |= T(self[offset + index]) << (8 * index) }
        return value
    }

    package mutating func append<T: FixedWidthInteger & UnsignedInteger>(littleEndian value: T) {
        for index in 0..<T.bitWidth / 8 {
            append(UInt8(truncatingIfNeeded: value >> (8 * index)))
        }
    }
}
