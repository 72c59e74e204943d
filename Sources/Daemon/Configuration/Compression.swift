/// How sealed files are compressed.
package enum Compression: String, Sendable, CaseIterable {
    /// Fastest restore.
    case lz4
    /// Understood everywhere.
    case gzip
    /// Smallest.
    case zstd
}
