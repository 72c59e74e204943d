/// The header of an 8 KiB WAL page (`XLogPageHeaderData`, xlog_internal.h), little-endian.
///
/// Magic u16, flags u16, timeline u32, address u64, rest of the interrupted record u32, 4 bytes
/// unused: 24 bytes. The first page of a file adds system identifier u64, segment size u32, page
/// size u32.
struct WalPageHeader {
    static let shortBytes = 24
    static let longBytes = 40
    static let pageBytes: UInt64 = 8192

    /// Bits of `flags`.
    static let continuesRecord: UInt16 = 0x1
    static let isLong: UInt16 = 0x2
    static let replacesLostRecord: UInt16 = 0x8
    static let allFlags: UInt16 = 0xF

    let magic: UInt16
    let flags: UInt16
    let timeline: UInt32
    let address: UInt64
    /// Bytes of the record begun on an earlier page that are still to come, from this page on.
    let restOfRecord: UInt32
    let systemIdentifier: UInt64
    let segmentBytes: UInt32
    let pageBytes: UInt32

    /// Reads 24 bytes, or 40 when `long`.
    init(_ bytes: RawSpan, long: Bool) {
        magic = bytes.little(0, as: UInt16.self)
        flags = bytes.little(2, as: UInt16.self)
        timeline = bytes.little(4, as: UInt32.self)
        address = bytes.little(8, as: UInt64.self)
        restOfRecord = bytes.little(16, as: UInt32.self)
        systemIdentifier = long ? bytes.little(24, as: UInt64.self) : 0
        segmentBytes = long ? bytes.little(32, as: UInt32.self) : 0
        pageBytes = long ? bytes.little(36, as: UInt32.self) : 0
    }
}
