/// What the stream needs of an entry while it passes through: read in place, nothing is kept.
///
/// The order of fields varies (entries of sessions begin with `lsid`), so all of the top level is
/// walked. The first entry of a replica set has no term.
///
/// Events of a change stream have a head too: `clusterTime`, `wallTime` (from 6.0 on) and
/// `operationType` say the same. Of an event that the server split, only the first part has them.
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
    /// An event of a change stream, no entry of an oplog.
    var isEvent = false
    /// More parts of this event follow.
    var isContinued = false

    /// Reads the entry that begins at `start`; it must be whole.
    ///
    /// - Parameter previous: the time of what came before, which a later part of an event shares.
    init(
        _ bytes: Span<UInt8>, at start: Int = 0, previous: OpTime = .zero
    ) throws(BSONFailure) {
        var walker = try BSONWalker(bytes, at: start)
        length = walker.end + 1 - start
        var ts: OpTime?
        var kind: Kind?
        var isLaterPart = false
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
            case (11, UInt8(ascii: "c"), .timestamp) where bytes.holds("clusterTime", at: name):
                ts = OpTime(ordinal: bytes.uint64(at: value))
                isEvent = true
            case (8, UInt8(ascii: "w"), .date) where bytes.holds("wallTime", at: name):
                wall = Int64(bitPattern: bytes.uint64(at: value))
            case (13, UInt8(ascii: "o"), .string) where bytes.holds("operationType", at: name):
                kind = Self.kind(ofEvent: bytes, element.value)
            case (10, UInt8(ascii: "s"), .document) where bytes.holds("splitEvent", at: name):
                let part = try SplitEvent(bytes, at: value)
                isContinued = part.number < part.count
                if part.number > 1 {
                    isLaterPart = true
                    isEvent = true
                    ts = ts ?? previous
                    kind = kind ?? .other
                }
            default: break
            }
        }
        if isEvent, !isLaterPart, wall == nil, kind != .noop, let ts {
            // Before 6.0 the second is all that is told.
            wall = Int64(ts.seconds) * 1000
        }
        guard let ts, let kind else { throw BSONFailure("an entry has no ts or no op", at: start) }
        self.ts = ts
        self.kind = kind
    }

    private static func kind(ofEvent bytes: Span<UInt8>, _ value: Range<Int>) -> Kind {
        let text = value.lowerBound + 4..<value.upperBound - 1
        if bytes.holds("insert", at: text) { return .insert }
        if bytes.holds("update", at: text) || bytes.holds("replace", at: text) { return .update }
        if bytes.holds("delete", at: text) { return .delete }
        return bytes.holds(ProgressMark.operation, at: text) ? .noop : .command
    }
}

/// `splitEvent: {fragment: 1, of: 3}`: a part of an event that is larger than a document may be.
struct SplitEvent: Hashable, Sendable {
    /// From 1 on.
    var number: Int
    var count: Int

    init(_ bytes: Span<UInt8>, at start: Int) throws(BSONFailure) {
        var walker = try BSONWalker(bytes, at: start)
        number = 1
        count = 1
        while let element = try walker.next(bytes) {
            guard element.type == .int32 else { continue }
            let value = Int(bytes.int32(at: element.value.lowerBound))
            if bytes.holds("fragment", at: element.name) { number = value }
            if bytes.holds("of", at: element.name) { count = value }
        }
    }
}
