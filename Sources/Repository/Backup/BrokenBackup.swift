package import Model

/// A finished base backup that lacks what its manifest names: no restore can use it.
package struct BrokenBackup: Hashable, Sendable {
    package var backup: BaseBackupDescriptor
    /// The first file that is missing or has another size.
    package var key: ObjectKey
    /// What is wrong with it, behind its name: `is missing`.
    package var what: String

    package init(backup: BaseBackupDescriptor, key: ObjectKey, what: String) {
        self.backup = backup
        self.key = key
        self.what = what
    }

    /// The same as a clause.
    package var reason: String { "\(key) \(what)" }
}

/// The base backups of a source, each oldest first.
package struct BaseBackupListing: Sendable {
    package var whole: [BaseBackupDescriptor] = []
    package var broken: [BrokenBackup] = []
}

extension ArchiveRepository {
    /// Finished base backups, told apart by the names and sizes of their files; reads the manifests
    /// and no other content.
    package func baseBackups(_ source: SourceID) throws(TidemarkError) -> BaseBackupListing {
        let infos = try store.list(Layout.backups(source))
        let sizes = Dictionary(infos.map { ($0.key, $0.size) }) { first, _ in first }
        var listing = BaseBackupListing()
        for backup in try backups(source, in: infos) {
            if let broken = try broken(backup, sizes) {
                listing.broken.append(broken)
            } else {
                listing.whole.append(backup)
            }
        }
        return listing
    }

    /// A listing may miss what was stored while it was made, so what seems wrong is looked up.
    private func broken(
        _ backup: BaseBackupDescriptor, _ sizes: [ObjectKey: UInt64]
    ) throws(TidemarkError) -> BrokenBackup? {
        let folder = Layout.backup(backup.source, backup.id)
        for file in backup.files {
            guard let key = file.key(in: folder) else {
                let key = folder / Layout.manifestName
                return BrokenBackup(
                    backup: backup, key: key, what: "names a file \(file.name)")
            }
            if sizes[key] == file.storedBytes { continue }
            let size = try store.size(key)
            if size == file.storedBytes { continue }
            return BrokenBackup(
                backup: backup, key: key,
                what: size.map { "has \($0) bytes, and \(file.storedBytes) were stored" }
                    ?? "is missing")
        }
        return nil
    }
}

extension StoredFile {
    /// Its key; nil for a name that leaves the folder.
    func key(in folder: ObjectKey) -> ObjectKey? {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else { return nil }
        return folder / name
    }
}
