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
                remedy: Self.remedy(folder))
        }
        defer { object.close() }
        var hash = SHA256()
        var count: UInt64 = 0
        let piece = { (limit: Int) throws(TidemarkError) -> [UInt8] in
            let bytes = try object.read(limit)
            unsafe bytes.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
            return bytes
        }
        if let compression = Compression(suffixOf: file.name) {
            let frames = FrameReader(key, compression, read: piece)
            while let item = try next(frames) {
                guard case .content = item else { continue }
                count += UInt64(frames.content.count)
                try take(frames.content.array)
            }
            if frames.endsInsideFrame { throw damaged(key, "it ends inside a frame") }
        } else {
            while true {
                let bytes = try piece(Self.readBytes)
                if bytes.isEmpty { break }
                count += UInt64(bytes.count)
                try take(bytes)
            }
        }
        let digest = Hex.text(hash.finalize())
        guard digest == file.storedSHA256, count == file.bytes else {
            throw damaged(key, "its bytes are not those that were stored")
        }
    }

    private func next(_ frames: FrameReader) throws(TidemarkError) -> FrameItem? {
        do {
            return try frames.next()
        } catch let error where error.code == .archiveDamaged {
            throw TidemarkError(
                error.code, error.message, remedy: Self.remedy(folder), cause: error)
        }
    }

    private func damaged(_ key: ObjectKey, _ what: String) -> TidemarkError {
        TidemarkError(.archiveDamaged, "\(key) is damaged: \(what)", remedy: Self.remedy(folder))
    }

    /// A restore takes the newest base backup that it finds.
    static func remedy(_ folder: ObjectKey) -> String {
        "bring it back from a copy of the archive, or remove the folder of this base backup "
            + "(\(folder)): then an older one is taken"
    }
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
