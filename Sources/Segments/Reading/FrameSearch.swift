import Model

/// Looks for a whole content frame behind a place in a file that is not whole.
///
/// A crash tears the end of the last write, and nothing whole follows; a flipped bit has whole
/// frames behind it. A frame counts with its checksum, so content that only looks like the start
/// of one is passed over. Content may also be a whole frame itself, a stored `.lz4` file: what the
/// writer wrote has its notes of commits before it, or a note or the next frame right behind it.
enum FrameSearch {
    private static let blockBytes = 1 << 20
    /// Bytes of a frame's start that are looked for.
    private static let magicBytes = 4

    private static let firstBytes = [
        UInt8(truncatingIfNeeded: LZ4Format.magic), UInt8(truncatingIfNeeded: GzipFormat.magic),
        UInt8(truncatingIfNeeded: noteMagic),
    ]
    private static let noteMagic = LZ4Format.skippableMagic + UInt32(NoteTag.history.rawValue)

    /// Where the first whole content frame behind `offset` starts; nil when there is none.
    ///
    /// - Parameters:
    ///   - compressions: What the frames may be.
    ///   - read: Up to so many bytes of the file at an offset; empty at its end.
    static func first(
        in key: ObjectKey, behind offset: UInt64, _ compressions: [Compression],
        read: @escaping (UInt64, Int) throws(TidemarkError) -> [UInt8]
    ) throws(TidemarkError) -> UInt64? {
        var start = offset
        while true {
            let block = try read(start, blockBytes)
            guard block.count >= magicBytes else { return nil }
            for place in 0...block.count - magicBytes where firstBytes.contains(block[place]) {
                guard let compression = compression(at: place, of: block),
                    compressions.contains(compression)
                else { continue }
                let from = start + UInt64(place)
                if try isWhole(key, compression, from, read) { return from }
            }
            // The next block begins with what may be the start of a magic number.
            start += UInt64(block.count - magicBytes + 1)
        }
    }

    private static func compression(at place: Int, of block: [UInt8]) -> Compression? {
        let magic = block.loadLittleEndian(UInt32.self, at: place)
        if magic == LZ4Format.magic || magic == noteMagic { return .lz4 }
        return magic & 0xFF_FFFF == GzipFormat.magic ? .gzip : nil
    }

    private static func isWhole(
        _ key: ObjectKey, _ compression: Compression, _ from: UInt64,
        _ read: @escaping (UInt64, Int) throws(TidemarkError) -> [UInt8]
    ) throws(TidemarkError) -> Bool {
        var offset = from
        let frames = FrameReader(key, compression, from: from) { (limit) throws(TidemarkError) in
            let bytes = try read(offset, limit)
            offset += UInt64(bytes.count)
            return bytes
        }
        do {
            switch try frames.next() {
            case .content:
                let end = frames.boundary
                // Zeros written ahead are passed over.
                let next = try frames.next()
                return next != nil || frames.boundary > end
            case .note(.history, let note):
                let next = try frames.next()
                return HistoryNote.isWhole(note) && next == .content
            case .note, nil: return false
            }
        } catch let error where error.code == .archiveDamaged {
            return false
        }
    }
}
