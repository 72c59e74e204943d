/// The header of a WAL record (`XLogRecord`, xlogrecord.h), little-endian, 24 bytes.
///
/// Total length u32, transaction u32, start of the record before it u64, info u8, resource manager
/// u8, 2 bytes unused, CRC-32C u32 over the rest of the record and then the first 20 bytes. Records
/// start on multiples of eight, so the length never crosses a page while the rest of the header
/// may.
struct WalRecordHeader: Sendable {
    static let bytes = 24
    /// What the CRC covers of the header itself.
    static let checkedBytes = 20
    /// `MaxAllocSize`, above every limit the versions know (1020 MiB since 16).
    static let maximumLength: UInt32 = 0x3FFF_FFFF

    /// Resource managers (rmgrlist.h).
    static let managerLog: UInt8 = 0
    static let managerTransaction: UInt8 = 1
    static let lastBuiltInManager: UInt8 = 21
    static let firstCustomManager: UInt8 = 128

    let length: UInt32
    let transaction: UInt32
    let previous: UInt64
    let info: UInt8
    let manager: UInt8
    let checksum: UInt32

    @inline(__always)
    init(_ bytes: RawSpan, at offset: Int = 0) {
        length = bytes.little(offset, as: UInt32.self)
        transaction = bytes.little(offset + 4, as: UInt32.self)
        previous = bytes.little(offset + 8, as: UInt64.self)
        info = bytes.byte(offset + 16)
        manager = bytes.byte(offset + 17)
        checksum = bytes.little(offset + 20, as: UInt32.self)
    }

    /// No record yet.
    init() {
        length = 0
        transaction = 0
        previous = 0
        info = 0
        manager = 0
        checksum = 0
    }

    @inline(__always)
    static func isKnown(manager: UInt8) -> Bool {
        manager <= lastBuiltInManager || manager >= firstCustomManager
    }
}

extension WalRecordHeader {
    /// What a record means to an archiver.
    enum Meaning: Equatable {
        case commit(prepared: Bool)
        case abort(prepared: Bool)
        case restorePoint
        /// `XLOG_SWITCH`: nothing follows it in its segment.
        case segmentSwitch
        case other
    }

    /// By resource manager and the high bits of `info` (xact.h, pg_control.h).
    @inline(__always)
    var meaning: Meaning {
        switch (manager, info & 0xF0) {
        case (Self.managerTransaction, _):
            switch info & 0x70 {
            case 0x00: .commit(prepared: false)
            case 0x20: .abort(prepared: false)
            case 0x30: .commit(prepared: true)
            case 0x40: .abort(prepared: true)
            default: .other
            }
        case (Self.managerLog, 0x40): .segmentSwitch
        case (Self.managerLog, 0x70): .restorePoint
        default: .other
        }
    }

    /// Whether the record's body is read.
    var isInterpreted: Bool {
        switch meaning {
        case .commit, .abort, .restorePoint: true
        case .segmentSwitch, .other: false
        }
    }
}
