/// The major version that wrote a WAL page, known by the page's magic number.
///
/// The number changes with the format of records (`XLOG_PAGE_MAGIC`, xlog_internal.h), so an
/// unknown one means records that this program cannot be sure to read.
enum WalVersion: Int, Sendable, CaseIterable {
    case v13 = 13
    case v14, v15, v16, v17, v18

    init?(magic: UInt16) {
        switch magic {
        case 0xD106: self = .v13
        case 0xD10D: self = .v14
        case 0xD110: self = .v15
        case 0xD113: self = .v16
        case 0xD116: self = .v17
        case 0xD118: self = .v18
        default: return nil
        }
    }

    /// Size of one `xl_xact_stats_item` in commit and abort records: 18 widened its object id.
    var droppedStatisticBytes: UInt64 { rawValue >= 18 ? 16 : 12 }
}
