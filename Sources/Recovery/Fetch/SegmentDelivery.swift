import Glibc
import Model
import Repository
import Segments

/// Writes one segment of the archive to a file: whole or not at all.
struct SegmentDelivery {
    let repository: ArchiveRepository

    /// Writes the sealed segment of `range`; false when it is not sealed (yet).
    func deliverSealed(
        _ base: ObjectKey, _ range: PositionRange, to path: String,
        suffix: String = DeliveredFile.suffix
    ) throws(TidemarkError) -> Bool {
        for compression in Compression.allCases {
            let key = ObjectKey(base.path + compression.suffix)
            let reader: SegmentReader
            do {
                reader = try SegmentReader(repository.store, key)
            } catch let error where error.code == .notFound {
                continue
            }
            defer { reader.close() }
            guard reader.descriptor?.range == range else {
                throw TidemarkError(
                    .archiveDamaged, "\(key) says that it holds another stretch of history",
                    remedy: "bring it back from a copy of the archive")
            }
            try write(reader, length: range.length, to: path, suffix)
            return true
        }
        return false
    }

    /// Writes the open segment of `range` up to its last whole frame, and zeros behind it, which
    /// end the WAL for the server. Nil when there is none; else the length of its content.
    ///
    /// Nothing is delivered of a segment that is damaged: its readable part would be taken for the
    /// end of history.
    ///
    /// - Parameters:
    ///   - needed: How much content must be there at least: what was acknowledged.
    ///   - enough: Content behind which nothing is of interest, damaged or not; nil for none.
    func deliverOpen(
        _ base: ObjectKey, _ range: PositionRange, needed: UInt64, enough: UInt64?,
        to path: String
    ) throws(TidemarkError) -> UInt64? {
        let key = ObjectKey(base.path + Layout.partialSuffix)
        let reader: SegmentReader
        do {
            reader = try SegmentReader(repository.store, key)
        } catch let error where error.code == .notFound {
            return nil
        }
        defer { reader.close() }
        let output = try content(of: reader, length: range.length, path, DeliveredFile.suffix)
        if enough.map({ output.length < $0 }) ?? true {
            let isDamaged = reader.endsTorn ? try isDamaged(key, range) : false
            guard output.length >= needed, !isDamaged else {
                throw TidemarkError(
                    .archiveDamaged,
                    "\(key) can be read only up to byte \(output.length) of its content, but more "
                        + "was archived",
                    remedy: "start `tidemark run` anew, which asks the source for the rest, or "
                        + "bring the file back from a copy of the archive")
            }
        }
        try output.finish(length: range.length)
        return output.length
    }

    /// Whether whole frames follow the place where it stops being whole: what no crash leaves.
    private func isDamaged(
        _ key: ObjectKey, _ range: PositionRange
    ) throws(TidemarkError) -> Bool {
        try SegmentReader.survey(
            repository.store, key, first: range.first, bytes: range.length
        ).resumesAt != nil
    }

    private func write(
        _ reader: SegmentReader, length: UInt64, to path: String, _ suffix: String
    ) throws(TidemarkError) {
        try content(of: reader, length: length, path, suffix).finish(length: length)
    }

    /// A file that holds all that can be read and has no name yet.
    private func content(
        of reader: SegmentReader, length: UInt64, _ path: String, _ suffix: String
    ) throws(TidemarkError) -> DeliveredFile {
        let output = try DeliveredFile(path, suffix: suffix)
        while try reader.read({ (bytes) throws(TidemarkError) in try output.write(bytes) }) {}
        guard reader.isSealed ? output.length == length : output.length <= length else {
            throw TidemarkError(
                .archiveDamaged, "\(reader.key) holds \(output.length) bytes, not \(length)",
                remedy: "bring it back from a copy of the archive")
        }
        return output
    }
}

/// A file that appears under its name only when it is whole.
final class DeliveredFile {
    private let path: String
    private let temporary: String
    private var file: Int32
    private(set) var length: UInt64 = 0

    /// What a file is called until it is whole: its name and this.
    static var suffix: String { ".tidemark-\(getpid())" }

    static func write(_ content: [UInt8], to path: String) throws(TidemarkError) {
        let output = try DeliveredFile(path)
        try unsafe output.write(content.span.bytes)
        try output.finish(length: UInt64(content.count))
    }

    init(_ path: String, suffix: String = DeliveredFile.suffix) throws(TidemarkError) {
        self.path = path
        temporary = path + suffix
        file = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        if file < 0 { throw Self.failure(path) }
    }

    deinit {
        guard file >= 0 else { return }
        Glibc.close(file)
        _ = unsafe unlink(temporary)
    }

    func write(_ bytes: RawSpan) throws(TidemarkError) {
        var done = 0
        while done < bytes.byteCount {
            let count = unsafe bytes.extracting(done..<bytes.byteCount).withUnsafeBytes {
                unsafe Glibc.write(file, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { throw Self.failure(path) }
            done += count
        }
        length += UInt64(bytes.byteCount)
    }

    /// Pads with zeros to `length` and gives the file its name. Not synced: after a crash of the
    /// machine recovery asks for every file again.
    func finish(length: UInt64) throws(TidemarkError) {
        guard ftruncate(file, off_t(length)) == 0 else { throw Self.failure(path) }
        let status = Glibc.close(file)
        file = -1
        guard status == 0, unsafe rename(temporary, path) == 0 else {
            _ = unsafe unlink(temporary)
            throw Self.failure(path)
        }
    }

    private static func failure(_ path: String) -> TidemarkError {
        TidemarkError(
            .failed, "cannot write \(path): \(unsafe String(cString: strerror(errno)))",
            remedy: "look at the space and the rights of the data directory")
    }
}
