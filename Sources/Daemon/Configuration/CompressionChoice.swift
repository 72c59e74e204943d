/// How sealed files are compressed.
package enum CompressionChoice: String, Sendable, CaseIterable {
    /// Fastest restore.
    case lz4
    /// Understood everywhere.
    case gzip
    /// Smallest.
    case zstd
}
