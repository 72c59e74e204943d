/// Reads the few fields of a commit, abort or restore point that an archiver needs, from the
/// record's body in pieces of any size; keeps nothing else, so a commit of a million
/// subtransactions costs no memory.
///
/// The body (xlogrecord.h, xact.h, xactdesc.c `ParseCommitRecord`): block headers first, each one
/// byte of id: 253 replication origin (u16), 252 top-level transaction (u32), last 255 length u8 or
/// 254 length u32 of the main data. The main data of a commit or abort: Int64 time; when bit 0x80
/// of info is set u32 `xinfo`, whose bits say which of these follow, in this order: database (8
/// bytes), subtransactions, files to drop, statistics to drop (15+), cache invalidations (commits
/// only), each a u32 count and its items; the prepared transaction's number u32. Of a restore
/// point: Int64 time, 64 bytes of name ending in NUL.
struct StopRecordParser: Sendable {
    /// Where the parser stands; each case names what comes next.
    private enum Field {
        case blockID, origin, topLevel, shortLength, longLength
        case time, information, subtransactions, files, statistics, invalidations, prepared
        case name, rest

        /// The bit of `xinfo` that announces an optional part (xact.h, `XACT_XINFO_HAS_…`).
        var bit: UInt32? {
            switch self {
            case .subtransactions: 0x02
            case .files: 0x04
            case .statistics: 0x100
            case .invalidations: 0x08
            case .prepared: 0x10
            default: nil
            }
        }

        /// The optional part behind this one; `rest` behind the last.
        var successor: Field {
            switch self {
            case .subtransactions: .files
            case .files: .statistics
            case .statistics: .invalidations
            case .invalidations: .prepared
            default: .rest
            }
        }
    }

    static let nameBytes = 64

    private(set) var time: Int64 = 0
    /// Number of the prepared transaction that ends here; 0 in other records.
    private(set) var preparedTransaction: UInt32 = 0
    /// Relation files that are removed with this record.
    private(set) var removedFiles: UInt32 = 0
    /// True once the bytes contradict the format.
    private(set) var isMalformed = false

    private var field = Field.blockID
    private var width = 1
    private var value: UInt64 = 0
    private var have = 0
    private var skip: UInt64 = 0
    private var meaning = WalRecordHeader.Meaning.other
    private var hasInformation = false
    private var information: UInt32 = 0
    private var version = WalVersion.v13
    private var nameBuffer = InlineArray<64, UInt8>(repeating: 0)
    private var nameLength = 0

    /// - Precondition: the record is a commit, abort or restore point.
    mutating func begin(_ header: WalRecordHeader, _ version: WalVersion) {
        meaning = header.meaning
        hasInformation = meaning != .restorePoint && header.info & 0x80 != 0
        self.version = version
        information = 0
        time = 0
        preparedTransaction = 0
        removedFiles = 0
        isMalformed = false
        nameLength = 0
        skip = 0
        expect(.blockID, 1)
    }

    /// True when every needed field was there; ask after the last byte.
    var isComplete: Bool { !isMalformed && field == .rest }

    /// The name of a restore point, up to its NUL.
    var name: String {
        var bytes: [UInt8] = []
        for place in 0..<nameLength where bytes.count == place && nameBuffer[place] != 0 {
            bytes.append(nameBuffer[place])
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    mutating func feed(_ bytes: RawSpan) {
        var offset = 0
        while offset < bytes.byteCount, field != .rest, !isMalformed {
            if skip > 0 {
                let step = min(skip, UInt64(bytes.byteCount - offset))
                skip -= step
                offset += Int(step)
            } else if field == .name {
                nameBuffer[nameLength] = bytes.byte(offset)
                nameLength += 1
                offset += 1
                if nameLength == Self.nameBytes { expect(.rest, 0) }
            } else if have == 0, bytes.byteCount - offset >= width {
                let number = whole(bytes, offset)
                offset += width
                take(number)
            } else {
                value |= UInt64(bytes.byte(offset)) << UInt64(8 * have)
                have += 1
                offset += 1
                if have == width { take(value) }
            }
        }
    }

    /// The number at `offset`, all of which is there.
    private func whole(_ bytes: RawSpan, _ offset: Int) -> UInt64 {
        switch width {
        case 1: UInt64(bytes.byte(offset))
        case 2: UInt64(bytes.little(offset, as: UInt16.self))
        case 4: UInt64(bytes.little(offset, as: UInt32.self))
        default: bytes.little(offset, as: UInt64.self)
        }
    }

    private mutating func expect(_ next: Field, _ bytes: Int) {
        field = next
        width = bytes
        value = 0
        have = 0
    }

    /// Takes a number that is complete and decides what comes next.
    private mutating func take(_ number: UInt64) {
        switch field {
        case .blockID: takeBlockID(UInt8(number))
        case .origin, .topLevel: expect(.blockID, 1)
        case .shortLength, .longLength: expect(.time, 8)
        case .time:
            time = Int64(bitPattern: number)
            if meaning == .restorePoint {
                expect(.name, 0)
            } else if hasInformation {
                expect(.information, 4)
            } else {
                takePart(.subtransactions)
            }
        case .information:
            information = UInt32(number)
            if information & 0x01 != 0 { skip = 8 }
            takePart(.subtransactions)
        case .subtransactions:
            skip = number * 4
            takePart(.files)
        case .files:
            removedFiles = UInt32(number)
            skip = number * 12
            takePart(.statistics)
        case .statistics:
            skip = number * version.droppedStatisticBytes
            takePart(.invalidations)
        case .invalidations:
            skip = number * 16
            takePart(.prepared)
        case .prepared:
            preparedTransaction = UInt32(number)
            expect(.rest, 0)
        case .name, .rest: preconditionFailure("no number is read in the state \(field)")
        }
    }

    private mutating func takeBlockID(_ id: UInt8) {
        switch id {
        case 253: expect(.origin, 2)
        case 252: expect(.topLevel, 4)
        case 255: expect(.shortLength, 1)
        case 254: expect(.longLength, 4)
        default: isMalformed = true
        }
    }

    /// Goes to the first part from `first` on that `information` announces, or to the end.
    private mutating func takePart(_ first: Field) {
        var part = first
        while let bit = part.bit {
            if information & bit != 0 {
                expect(part, 4)
                return
            }
            part = part.successor
        }
        let endsPrepared = meaning == .commit(prepared: true) || meaning == .abort(prepared: true)
        if endsPrepared { isMalformed = true }
        expect(.rest, 0)
    }
}
