import Model
import Testing

@testable import Redis

/// An RDB with its expiries changed, handed over in pieces of `size` bytes.
func filteredRDB(
    _ rdb: [UInt8], _ change: ExpiryEdit.Change, _ size: Int
) throws -> [UInt8] {
    var filter = RDBExpiryFilter(change)
    var output: [UInt8] = []
    for start in stride(from: 0, to: rdb.count, by: size) {
        let piece = Array(rdb[start..<min(start + size, rdb.count)])
        try filter.take(piece.span.bytes) { (kept) throws(TidemarkError) in
            kept.withUnsafeBytes { output.append(contentsOf: $0) }
        }
    }
    #expect(filter.isAtEnd)
    return output
}
