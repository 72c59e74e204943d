package import Segments

/// `repository.compression`: how sealed files are compressed.
package enum CompressionChoice: String, Sendable, CaseIterable {
    /// Fastest restore.
    case lz4
    /// Understood everywhere.
    case gzip
    /// Smallest. The reader of the configuration refuses it: this version cannot write it.
    case zstd

    package var codec: Compression {
        switch self {
        case .lz4: .lz4
        case .gzip: .gzip
        case .zstd: preconditionFailure("the configuration reader refuses zstd")
        }
    }
}
