/// The times at which a small hash's fields expire, within its listpack (`listpack.c`, `t_hash.c`):
/// field, value, time in milliseconds or 0, and again.
///
/// An element is its encoding with the number or text, then its own length for reading backwards.
/// Times of this millennium take the widest encoding, so they are changed in place.
enum FieldTimes {
    /// More than any server keeps in this form.
    static let limit = 64 << 20

    private static let header = 6
    private static let end: UInt8 = 0xff
    private static let wide: UInt8 = 0xf4

    /// Nil for what is no such listpack.
    static func changed(_ bytes: [UInt8], _ change: ExpiryEdit.Change) -> [UInt8]? {
        guard bytes.count > header, bytes.last == end else { return nil }
        var bytes = bytes
        var place = header
        var element = 0
        while bytes[place] != end {
            guard let length = elementLength(bytes, place) else { return nil }
            if element % 3 == 2, bytes[place] != 0 {
                guard bytes[place] == wide else { return nil }
                switch change {
                case .none: break
                case .shift(let milliseconds):
                    add(milliseconds, to: &bytes, at: place + 1..<place + 9)
                case .persist: for index in place + 1..<place + 9 { bytes[index] = 0 }
                }
            }
            place += length
            element += 1
        }
        return place == bytes.count - 1 && element % 3 == 0 ? bytes : nil
    }

    /// Adds to a little-endian number.
    static func add(_ difference: Int64, to bytes: inout [UInt8], at place: Range<Int>) {
        var number: Int64 = 0
        for index in place.reversed() { number = number << 8 | Int64(bytes[index]) }
        number &+= difference
        for index in place {
            bytes[index] = UInt8(truncatingIfNeeded: number)
            number >>= 8
        }
    }

    /// With the length behind it; nil when another element or the end cannot follow within `bytes`.
    private static func elementLength(_ bytes: [UInt8], _ place: Int) -> Int? {
        func byte(_ offset: Int) -> Int? {
            place + offset < bytes.count ? Int(bytes[place + offset]) : nil
        }
        let first = Int(bytes[place])
        let own: Int?
        switch first {
        case ..<0x80: own = 1
        case ..<0xc0: own = 1 + (first & 0x3f)
        case ..<0xe0: own = 2
        case ..<0xf0: own = byte(1).map { 2 + ((first & 0x0f) << 8 | $0) }
        case 0xf0:
            let digits = (1...4).compactMap { byte($0) }
            own = digits.count < 4 ? nil : 5 + digits.reversed().reduce(0) { $0 << 8 | $1 }
        case 0xf1...0xf3: own = first - 0xf1 + 3
        case 0xf4: own = 9
        default: own = nil
        }
        guard let own else { return nil }
        // Seven bits of the length in each byte (`lpEncodeBacklen`, its limits included).
        let limits = [(1 << 7) - 1, (1 << 14) - 2, (1 << 21) - 2, (1 << 28) - 2]
        let length = own + 1 + limits.count { own > $0 }
        return length <= bytes.count - 1 - place ? length : nil
    }
}
