/// What comes next in an RDB; the values of each type are rows of these (`rdb.c`,
/// `rdbLoadObject`).
indirect enum RDBStep: Sendable {
    /// An opcode, or the type of a value whose key follows.
    case opcode
    case skip(UInt64)
    case length
    case string
    /// A score of the oldest sorted sets, as text.
    case score
    /// A length, then so many times the steps.
    case list([RDBStep])
    case times(UInt64, [RDBStep])
    /// A module's value: marked parts up to the mark 0.
    case module
    /// The opcode and so many bytes in all.
    case expiry(Int)
    /// When the first of a hash's fields expires: eight bytes, which the fields' own times are
    /// counted from.
    case fieldBase
    /// When a field expires, one more than the milliseconds since that; 0: never.
    case fieldTime
    /// When a field expires, eight bytes of milliseconds; all ones: never.
    case fieldMoment
    /// A string that is a listpack of fields, values and times.
    case fieldPack
    case checksum

    /// The steps behind an opcode or type, up to the next opcode; nil for one that is not known.
    static func following(_ opcode: UInt8) -> [RDBStep]? {
        switch opcode {
        case 0xfa: [.string, .string]
        case 0xfb: [.length, .length]
        case 0xfe, 0xf8: [.length]
        case 0xf9: [.skip(1)]
        case 0xf5: [.string]
        // A module's data beside the keys: its id, then marked parts.
        case 0xf7: [.length, .module]
        // Slots of a cluster: slot, keys, keys that expire.
        case 0xf4: [.length, .length, .length]
        // Slots that a node of Valkey 9 takes over: the job, then ranges.
        case 0xf3: [.string, .list([.length, .length])]
        default: value(opcode).map { [.string] + $0 }
        }
    }

    static let plainHash: UInt8 = 4
    static let hashWithTimes: UInt8 = 24
    /// Valkey's own, from 9.0 on; never a listpack.
    static let hashWithMoments: UInt8 = 22

    /// Whether the values of this version of the RDB are all known. Redis has come to 12 (8.0),
    /// Valkey's own begins with 80 (9.0).
    static func knows(_ version: Int) -> Bool { version <= 12 || version == 80 }

    private static func value(_ type: UInt8) -> [RDBStep]? {
        switch type {
        // Strings, and everything that is kept as one string.
        case 0, 9, 10, 11, 12, 13, 16, 17, 20: [.string]
        case 1, 2, 14: [.list([.string])]
        case 3: [.list([.string, .score])]
        case 4: [.list([.string, .string])]
        case 5: [.list([.string, .skip(8)])]
        case 7: [.length, .module]
        case 18: [.list([.length, .string])]
        case 15: stream(hasOffsets: false, hasActiveTime: false)
        case 19: stream(hasOffsets: true, hasActiveTime: false)
        case 21: stream(hasOffsets: true, hasActiveTime: true)
        // Hashes of which a field expires (7.4).
        case hashWithTimes: [.fieldBase, .list([.fieldTime, .string, .string])]
        case 25: [.fieldBase, .fieldPack]
        case hashWithMoments: [.list([.string, .string, .fieldMoment])]
        default: nil
        }
    }

    private static func stream(hasOffsets: Bool, hasActiveTime: Bool) -> [RDBStep] {
        let pending: [RDBStep] = [.list([.skip(16), .skip(8), .length])]
        let consumer: [RDBStep] =
            [.string, .skip(hasActiveTime ? 16 : 8)] + [.list([.skip(16)])]
        let group: [RDBStep] =
            [.string, .length, .length] + (hasOffsets ? [.length] : []) + pending
            + [.list(consumer)]
        let numbers = [RDBStep](repeating: .length, count: hasOffsets ? 8 : 3)
        return [.list([.string, .string])] + numbers + [.list(group)]
    }
}
