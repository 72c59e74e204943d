import Model
import Segments

extension ObjectCheck {
    /// One file of a base backup: there, of the right size; deep: hash, frames, length, tar.
    func stored(
        _ backup: BaseBackupDescriptor, _ file: StoredFile
    ) throws(TidemarkError) -> Outcome {
        let folder = Layout.backup(backup.source, backup.id)
        guard let key = file.key(in: folder) else {
            return Outcome(problems: [
                damaged(folder / Layout.manifestName, "it names a file \(file.name)")
            ])
        }
        do throws(TidemarkError) {
            guard let size = try context.store.size(key) else {
                throw TidemarkError(
                    .archiveIncomplete, "\(key) of base backup \(backup.id) does not exist",
                    remedy: "restore this file from a copy of the archive, or take a new base "
                        + "backup: tidemark backup \(backup.source)")
            }
            guard size == file.storedBytes else {
                throw Damage.error(
                    key, at: min(size, file.storedBytes),
                    "it has \(size) bytes, the manifest says \(file.storedBytes)")
            }
            if context.isDeep {
                let tar = Self.tarCheck(backup, file)
                try readAll(key, file, tar, contents[backup.id]?.file(file))
            }
            return Outcome()
        } catch {
            return Outcome(problems: [try context.problem(error, key, of: backup.source)])
        }
    }

    /// Nil for what is no tar. Postgres before 15 sends tars without their end, and so they were
    /// kept once; their hash tells that nothing is missing.
    private static func tarCheck(_ backup: BaseBackupDescriptor, _ file: StoredFile) -> TarCheck? {
        guard let compression = Compression(suffixOf: file.name),
            file.name.hasSuffix(".tar" + compression.suffix)
        else { return nil }
        return TarCheck(mayLackEnd: Int(backup.server.version).map { $0 < 150_000 } ?? false)
    }

    /// Throws `archiveDamaged` naming the first thing that is wrong.
    private func readAll(
        _ key: ObjectKey, _ file: StoredFile, _ check: TarCheck?,
        _ look: (any BaseBackupFileCheck)?
    ) throws(TidemarkError) {
        guard let compression = Compression(suffixOf: file.name) else {
            throw Damage.error(key, at: 0, "its name tells no compression")
        }
        let object = try context.store.open(key, at: 0)
        defer { object.close() }
        let digest = SharedDigest()
        let frames = FrameReader(key, compression) { (limit) throws(TidemarkError) in
            let bytes = try object.read(limit)
            digest.update(bytes)
            context.read(bytes.count)
            return bytes
        }
        var tar = check
        var bytes: UInt64 = 0
        while let item = try frames.next() {
            guard item == .content else { continue }
            bytes += UInt64(frames.content.count)
            try frames.content.withBytes { (content) throws(TidemarkError) in
                tar?.take(content)
                try look?.take(content)
            }
        }
        tar?.finish()
        guard !frames.endsInsideFrame else {
            throw Damage.error(key, at: frames.boundary, "it ends inside a frame")
        }
        guard bytes == file.bytes else {
            throw Damage.error(
                key, at: frames.boundary, "it holds \(bytes) bytes instead of \(file.bytes)")
        }
        guard digest.finish() == file.storedSHA256 else {
            throw Damage.error(key, at: 0, "it has another SHA-256 than its manifest says")
        }
        if let damage = tar?.damage { throw Damage.error(key, at: frames.boundary, damage) }
        try look?.finish()
    }
}

/// A digest that the reading closure and its maker share; one thread only.
private final class SharedDigest {
    private var digest = StoredDigest()
    func update(_ bytes: [UInt8]) { digest.update(bytes) }
    func finish() -> String { digest.finish() }
}
