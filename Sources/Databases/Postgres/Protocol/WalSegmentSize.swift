/// `wal_segment_size`: a power of two from 1 MiB to 1 GiB; fixed when a cluster is made.
package struct WalSegmentSize: Hashable, Sendable {
    package let bytes: UInt64

    /// 16 MiB, unless `initdb --wal-segsize` said otherwise.
    package static let standard = WalSegmentSize(unchecked: 16 << 20)

    /// Nil when no server can have this size.
    package init?(bytes: UInt64) {
        guard bytes.nonzeroBitCount == 1, (1 << 20...1 << 30).contains(bytes) else { return nil }
        self.bytes = bytes
    }

    private init(unchecked bytes: UInt64) { self.bytes = bytes }

    /// Start of the segment that holds the byte at `lsn`.
    package func start(of lsn: UInt64) -> UInt64 { lsn & ~(bytes - 1) }

    /// Number of the segment that holds the byte at `lsn`.
    package func number(of lsn: UInt64) -> UInt64 { lsn / bytes }

    package func isAligned(_ lsn: UInt64) -> Bool { lsn & (bytes - 1) == 0 }

    /// Segments per 4 GiB: how file names count.
    package var perName: UInt64 { 0x1_0000_0000 / bytes }
}
