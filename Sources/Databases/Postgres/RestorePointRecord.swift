/// Where the record of `pg_create_restore_point` lies, from the end that the function returns.
///
/// The record has one fixed size: header 24, data header 2, time 8, name 64 bytes, rounded up to
/// eight (xl_restore_point, xlog_internal.h; unchanged since 9.1). Only page headers can lie
/// between.
enum RestorePointRecord {
    static let bytes: UInt64 = 104
    /// Longest name (MAXFNAMELEN less its NUL).
    static let nameBytes = 63

    /// Start of the record that ends at `end`.
    static func start(end: UInt64, segmentBytes: UInt64, pageBytes: UInt64) -> UInt64 {
        precondition(end > segmentBytes, "no record lies in the first segment's first bytes")
        let page = (end - 1) / pageBytes * pageBytes
        let header: UInt64 = page % segmentBytes == 0 ? 40 : 24
        let onLastPage = end - page - header
        if onLastPage >= bytes { return end - bytes }
        return page - (bytes - onLastPage)
    }
}
