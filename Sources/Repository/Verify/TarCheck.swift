import Model

/// Follows a tar from member to member without keeping anything; split anywhere.
///
/// POSIX ustar with GNU sizes: blocks of 512 bytes; a header carries its own checksum and the size
/// of what follows; two blocks of zeros end the archive, only zeros may follow (tar(5), and
/// `tarCreateHeader` of Postgres's src/port/tar.c).
struct TarCheck {
    private static let block = 512

    /// Whether the blocks of zeros may be missing.
    private let mayLackEnd: Bool
    private var header: [UInt8] = []
    /// Content and padding still to come of the current member.
    private var remaining: UInt64 = 0
    private var zeroBlocks = 0
    private(set) var members = 0
    /// What is wrong; nothing is looked at after it.
    private(set) var damage: String?
    private var offset: UInt64 = 0

    init(mayLackEnd: Bool = false) { self.mayLackEnd = mayLackEnd }

    mutating func take(_ bytes: RawSpan) {
        var rest = bytes
        while rest.byteCount > 0, damage == nil {
            let taken = remaining > 0 ? skip(rest.byteCount) : collect(rest)
            offset += UInt64(taken)
            rest = rest.extracting(taken..<rest.byteCount)
        }
    }

    /// Says that nothing follows.
    mutating func finish() {
        guard damage == nil else { return }
        if remaining > 0 || !header.isEmpty {
            damage = "the tar ends inside a member"
        } else if zeroBlocks < 2, !mayLackEnd || zeroBlocks > 0 || members == 0 {
            damage = "the tar has no end"
        }
    }

    private mutating func skip(_ available: Int) -> Int {
        let taken = Int(min(UInt64(available), remaining))
        remaining -= UInt64(taken)
        return taken
    }

    private mutating func collect(_ bytes: RawSpan) -> Int {
        let taken = min(Self.block - header.count, bytes.byteCount)
        unsafe bytes.extracting(0..<taken).withUnsafeBytes { unsafe header.append(contentsOf: $0) }
        if header.count == Self.block {
            enter()
            header.removeAll(keepingCapacity: true)
        }
        return taken
    }

    private mutating func enter() {
        let start = offset
        if header.allSatisfy({ $0 == 0 }) {
            zeroBlocks += 1
            return
        }
        guard zeroBlocks == 0 else {
            damage = "something follows the end of the tar, near byte \(start)"
            return
        }
        guard isSummedRight, let size = Self.number(header[124..<136]) else {
            damage = "no tar header near byte \(start)"
            return
        }
        members += 1
        let blocks = size / UInt64(Self.block) + (size % UInt64(Self.block) == 0 ? 0 : 1)
        remaining = blocks * UInt64(Self.block)
    }

    /// The checksum field itself counts as eight spaces.
    private var isSummedRight: Bool {
        guard let stored = Self.number(header[148..<156]) else { return false }
        var sum: UInt64 = 8 * 32
        for (index, byte) in header.enumerated() where !(148..<156).contains(index) {
            sum += UInt64(byte)
        }
        return sum == stored
    }

    /// Octal digits, or base 256 when the first bit is set (sizes from 8 GiB on).
    private static func number(_ field: ArraySlice<UInt8>) -> UInt64? {
        guard let first = field.first else { return nil }
        if first & 0x80 != 0 {
            guard first == 0x80, field.dropFirst().prefix(field.count - 9).allSatisfy({ $0 == 0 })
            else { return nil }
            let value = field.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
            return value < 1 << 60 ? value : nil
        }
        let isFiller: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == 0 }
        let digits = field.drop(while: isFiller).prefix { !isFiller($0) }
        guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }) else {
            return nil
        }
        return digits.reduce(0) { $0 << 3 | UInt64($1 - UInt8(ascii: "0")) }
    }
}
