/// How sealed files are compressed. Both are plain formats that standard tools read.
package enum Compression: String, Sendable, CaseIterable, Codable {
    /// LZ4 frame format (`lz4 -dc`): the fastest restore.
    case lz4
    /// RFC 1952 (`gzip -dc`): read everywhere.
    case gzip

    /// What a compressed object's name ends in.
    package var suffix: String {
        switch self {
        case .lz4: ".lz4"
        case .gzip: ".gz"
        }
    }

    /// A new encoder.
    ///
    /// - Parameter acceleration: LZ4 only: 1 compresses best, larger is faster. Default 8: on a
    ///   pgbench and bulk-load WAL it costs a quarter less CPU than 1 and stores 2.5 % more.
    package func encoder(acceleration: Int32 = 8) -> any FrameEncoder {
        switch self {
        case .lz4: LZ4FrameEncoder(acceleration: acceleration)
        case .gzip: GzipMemberEncoder()
        }
    }

    /// A new decoder, at a frame's start.
    package func decoder() -> any FrameDecoder {
        switch self {
        case .lz4: LZ4FrameDecoder()
        case .gzip: GzipMemberDecoder()
        }
    }

    /// The compression of a file by its first four bytes; an open segment's name does not tell it.
    package init?(firstBytes: [UInt8]) {
        guard firstBytes.count >= 4 else { return nil }
        let magic = firstBytes.loadLittleEndian(UInt32.self, at: 0)
        if magic == LZ4Format.magic || magic & ~0xF == LZ4Format.skippableMagic {
            self = .lz4
        } else if magic & 0xFF_FFFF == GzipFormat.magic {
            self = .gzip
        } else {
            return nil
        }
    }

    /// The compression of an object by its name.
    package init?(suffixOf name: String) {
        guard let found = Self.allCases.first(where: { name.hasSuffix($0.suffix) }) else {
            return nil
        }
        self = found
    }
}
