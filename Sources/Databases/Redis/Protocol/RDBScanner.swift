import Model

/// Takes RDB strings apart: plain, as integers, and compressed.
struct RDBScanner {
    private let bytes: [UInt8]
    private let limit: Int
    private var offset = 0

    /// - Parameter limit: of a string's length; more is damage.
    init(_ bytes: [UInt8], limit: Int = RDBPreamble.limit) {
        (self.bytes, self.limit) = (bytes, limit)
    }

    func peek() -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= bytes.count - offset else { return nil }
        defer { offset += count }
        return bytes[offset..<offset + count]
    }

    /// Nil when the bytes end first.
    mutating func string() throws(TidemarkError) -> String? {
        try text().map { String(decoding: $0, as: UTF8.self) }
    }

    /// The same as bytes.
    mutating func text() throws(TidemarkError) -> [UInt8]? {
        guard let first = take(1)?.first else { return nil }
        if first >> 6 != 3 {
            guard let length = try length(first) else { return nil }
            return take(length).map { Array($0) }
        }
        switch first & 0x3f {
        case 0: return integer(1).map { Array($0.utf8) }
        case 1: return integer(2).map { Array($0.utf8) }
        case 2: return integer(4).map { Array($0.utf8) }
        case 3: return try compressed()
        default: throw RDBPreamble.damaged("a string has the unknown form \(first & 0x3f)")
        }
    }

    private mutating func integer(_ width: Int) -> String? {
        guard let digits = take(width) else { return nil }
        var value: UInt32 = 0
        for (index, byte) in digits.enumerated() { value |= UInt32(byte) << UInt32(8 * index) }
        let shift = UInt32(32 - 8 * width)
        return String(Int32(bitPattern: value << shift) >> Int32(shift))
    }

    private mutating func compressed() throws(TidemarkError) -> [UInt8]? {
        guard let one = take(1)?.first, let stored = try length(one), let two = take(1)?.first,
            let length = try length(two), let packed = take(stored)
        else { return nil }
        guard let plain = LZF.decompress(Array(packed), length: length) else {
            throw RDBPreamble.damaged("a compressed string does not decompress")
        }
        return plain
    }

    /// The length that begins with this byte; nil when the bytes end first.
    private mutating func length(_ first: UInt8) throws(TidemarkError) -> Int? {
        switch first >> 6 {
        case 0: return Int(first)
        case 1: return take(1)?.first.map { Int(first & 0x3f) << 8 | Int($0) }
        default:
            guard first == 0x80 else {
                throw RDBPreamble.damaged("a header field has an impossible length")
            }
            guard let digits = take(4) else { return nil }
            let length = digits.reduce(0) { $0 << 8 | Int($1) }
            guard length <= limit else {
                throw RDBPreamble.damaged("a string is \(length) bytes long")
            }
            return length
        }
    }
}
