import Model

/// Writes one file of a base backup and sums up what the manifest says about it.
final class StoredFileWriter {
    private let writer: any ObjectWriter
    private let name: String
    private let file: BaseBackupFile
    private var bytes: UInt64 = 0
    private var storedBytes: UInt64 = 0
    private var digest = StoredDigest()

    /// - Parameter name: the stored name, compression suffix included.
    init(
        _ store: any ObjectStore, folder: ObjectKey, name: String, file: BaseBackupFile
    ) throws(TidemarkError) {
        writer = try store.create(folder / name)
        self.name = name
        self.file = file
    }

    func write(_ piece: [UInt8], contentBytes: Int) throws(TidemarkError) {
        digest.update(piece)
        try writer.write(piece)
        bytes += UInt64(contentBytes)
        storedBytes += UInt64(piece.count)
    }

    /// The object is durable and exists when this returns.
    func finish() throws(TidemarkError) -> StoredFile {
        try writer.finish()
        return StoredFile(
            name: name, role: file.role, origin: file.origin, location: file.location,
            bytes: bytes, storedBytes: storedBytes, storedSHA256: digest.finish())
    }

    func abort() { writer.abort() }
}
