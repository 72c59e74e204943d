/// What the stream needs of an entry while it passes through: read in place, nothing is kept.
///
/// The order of fields varies (entries of sessions begin with `lsid`), so all of the top level is
/// walked. The first entry of a replica set has no term.
struct EntryHead: Hashable, Sendable {
    enum Kind: UInt8, Sendable {
        case insert = 0x69, update = 0x75, delete = 0x64, command = 0x63, noop = 0x6E
        /// `xi`, `ci`, `km` and whatever comes later: told apart at restore.
        case other = 0
    }

    var ts: OpTime
    /// −1 where the entry has none.
    var term: Int64
    /// The primary's clock in milliseconds since 1970; nil before 3.6.
    var wall: Int64?
    var kind: Kind
    /// Length of the entry.
    var length: Int

    /// Reads the entry that begins at `start`; it must be whole.
    init(_ bytes: Span<UInt8>, at start: Int = 0) throws(BSONFailure) {
        var walker = try BSONWalker(bytes, at: start)
        length = walker.end + 1 - start
        var ts: OpTime?
        var kind: Kind?
        term = -1
        while let element = try walker.next(bytes) {
            let name = element.name
            let value = element.value.lowerBound
            switch (name.count, bytes[name.lowerBound], element.type) {
            case (2, UInt8(ascii: "t"), .timestamp)
            where bytes[name.lowerBound + 1] == UInt8(ascii: "s"):
                ts = OpTime(ordinal: bytes.uint64(at: value))
            case (1, UInt8(ascii: "t"), .int64):
                term = Int64(bitPattern: bytes.uint64(at: value))
            case (4, UInt8(ascii: "w"), .date): wall = Int64(bitPattern: bytes.uint64(at: value))
            case (2, UInt8(ascii: "o"), .string)
            where bytes[name.lowerBound + 1] == UInt8(ascii: "p"):
                let isOneLetter = bytes.int32(at: value) == 2
                kind = isOneLetter ? Kind(rawValue: bytes[value + 4]) ?? .other : .other
            default: break
            }
        }
        guard let ts, let kind else { throw BSONFailure("an entry has no ts or no op", at: start) }
        self.ts = ts
        self.kind = kind
    }
}
