import Crypto
import Model
import Repository
import Segments

/// Reads one stored file of a base backup: decompressed, and checked against the SHA-256 of its
/// stored bytes in the manifest.
struct StoredFileReader {
    let repository: ArchiveRepository
    let folder: ObjectKey

    private static let readBytes = 1 << 20

    /// Hands the content to `take` in pieces of at most a mebibyte, in order. What was handed out
    /// is to be believed only after this has returned.
    func read(
        _ file: StoredFile, _ take: ([UInt8]) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        let key = folder / file.name
        let object: any ObjectReader
        do {
            object = try repository.store.open(key, at: 0)
        } catch let error where error.code == .notFound {
            throw TidemarkError(
                .archiveIncomplete, "\(key) of the base backup is missing from the archive",
                remedy: "bring it back from a copy of the archive, or use another base backup")
        }
        defer { object.close() }
        var hash = SHA256()
        var count: UInt64 = 0
        let next = { (limit: Int) throws(TidemarkError) -> [UInt8] in
            let piece = try object.read(limit)
            unsafe piece.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
            return piece
        }
        if let compression = Compression(suffixOf: file.name) {
            let frames = FrameReader(key, compression, read: next)
            while let item = try Self.next(frames) {
                guard case .content = item else { continue }
                count += UInt64(frames.content.count)
                try take(frames.content.array)
            }
            if frames.endsInsideFrame { throw Self.damaged(key, "it ends inside a frame") }
        } else {
            while true {
                let piece = try next(Self.readBytes)
                if piece.isEmpty { break }
                count += UInt64(piece.count)
                try take(piece)
            }
        }
        let digest = Hex.text(hash.finalize())
        guard digest == file.storedSHA256, count == file.bytes else {
            throw Self.damaged(key, "its bytes are not those that were stored")
        }
    }

    private static func next(_ frames: FrameReader) throws(TidemarkError) -> FrameItem? {
        do {
            return try frames.next()
        } catch let error where error.code == .archiveDamaged {
            throw TidemarkError(error.code, error.message, remedy: remedy, cause: error)
        }
    }

    private static func damaged(_ key: ObjectKey, _ what: String) -> TidemarkError {
        TidemarkError(.archiveDamaged, "\(key) is damaged: \(what)", remedy: remedy)
    }

    /// A restore takes the newest base backup that it finds.
    private static let remedy =
        "bring it back from a copy of the archive, or remove the folder of this base backup: then "
        + "an older one is taken"
}

/// Bytes as lower-case hex.
enum Hex {
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }
}
