package import Model
package import Platform

/// Takes one base backup: reads it from a source, stores it, and writes its manifest last.
///
/// ```
/// lease → sweep leftovers → begin → configuration files, tars, backup_manifest → end
///       → the archive holds every change of [start, end) → all objects are there → manifest.json
/// ```
///
/// Until the manifest is written the backup does not exist: a crash at any moment leaves a folder
/// without a manifest, which the next base backup removes under the same lease.
package final class BaseBackupWriter {
    private let repository: ArchiveRepository
    private let clock: any TimeSource
    private let options: BaseBackupOptions

    package init(
        _ repository: ArchiveRepository, clock: any TimeSource, options: BaseBackupOptions
    ) {
        self.repository = repository
        self.clock = clock
        self.options = options
    }

    /// Blocks until the backup exists or has failed; the calling thread reads from `source`.
    ///
    /// Closes `source` in any case. Throws the first cause, whichever thread met it; what was
    /// stored is removed. Throws `failed` at once when somebody else takes a base backup of `name`.
    package func take(
        _ source: any BaseBackupSource, of name: SourceID, _ hooks: BaseBackupHooks
    ) throws(TidemarkError) -> BaseBackupDescriptor {
        defer { source.close() }
        let lease = try ArchiveLease.acquire(repository.store, name, .baseBackup, clock)
        defer { lease.release() }
        try repository.sweepBackups(name, under: lease)
        let start = try source.begin(label: options.label, fast: options.isFast)
        try checkIdentity(start, name)
        // The sidecar's clock: the schedule compares it with its own. `finished` is the source's.
        var started = clock.wall()
        var id = BackupID.make(started: started, timeline: start.timeline, start: start.start)
        // One of the same second and position has this name: it must neither be written into nor,
        // when this one fails, be removed with it.
        let taken = Set(try repository.backups(name).map(\.id))
        while taken.contains(id) {
            started = started.advanced(bySeconds: 1)
            id = BackupID.make(started: started, timeline: start.timeline, start: start.start)
        }
        do throws(TidemarkError) {
            let (files, end) = try store(source, start, Layout.backup(name, id), hooks)
            source.close()
            for remark in end.remarks { hooks.remark(remark) }
            let finished = try hooks.sourceTime()
            try hooks.waitArchived(
                PositionRange(timeline: start.timeline, first: start.start, last: end.position))
            try checkStored(files, Layout.backup(name, id))
            let backup = BaseBackupDescriptor(
                id: id, source: name, kind: start.descriptor.kind, timeline: start.timeline,
                start: start.start, end: end.position, started: started, finished: finished,
                bytes: files.reduce(0) { $0 + $1.bytes },
                storedBytes: files.reduce(0) { $0 + $1.storedBytes }, files: files,
                server: start.server, warnings: end.warnings)
            try repository.putManifest(backup)
            return backup
        } catch {
            // Best effort: what cannot be removed now is swept by the next base backup.
            try? repository.removeBackup(name, id)
            throw error
        }
    }

    /// Reads everything the source sends into the repository.
    private func store(
        _ source: any BaseBackupSource, _ start: BaseBackupStart, _ folder: ObjectKey,
        _ hooks: BaseBackupHooks
    ) throws(TidemarkError) -> ([StoredFile], BaseBackupEnd) {
        let plan = BackupPipeline.Plan(
            store: repository.store, folder: folder, compression: options.compression,
            acceleration: options.acceleration, workers: options.workers)
        let pipeline = BackupPipeline(plan) { (bytes, storedBytes) throws(TidemarkError) in
            hooks.progress(
                BackupProgress(
                    bytes: bytes, estimatedBytes: start.estimatedBytes, storedBytes: storedBytes))
            if hooks.shouldStop() {
                throw TidemarkError(.cancelled, "the base backup was stopped")
            }
        }
        do throws(TidemarkError) {
            try Self.storeConfiguration(start.configuration, pipeline)
            while true {
                guard let end = try source.pull(into: pipeline) else { continue }
                return (try pipeline.finish(), end)
            }
        } catch {
            throw pipeline.abort(error)
        }
    }

    /// Configuration files keep their last path component; a number in front tells equal ones
    /// apart.
    private static func storeConfiguration(
        _ files: [(path: String, content: [UInt8])], _ sink: any BaseBackupSink
    ) throws(TidemarkError) {
        var used: Set<String> = []
        for (number, file) in files.enumerated() {
            let last = Layout.escaped(file.path.split(separator: "/").last.map(String.init) ?? "")
            let name = last.isEmpty || used.contains(last) ? "\(number)-\(last)" : last
            used.insert(name)
            try sink.begin(
                BaseBackupFile(
                    name: "configuration/" + name, role: .configuration, origin: file.path,
                    location: nil))
            try unsafe sink.append(file.content.span.bytes)
        }
    }

    /// An archive never takes a base backup of another cluster behind the same address.
    private func checkIdentity(
        _ start: BaseBackupStart, _ name: SourceID
    ) throws(TidemarkError) {
        guard let known = try repository.descriptor(name), known.kind.hasLastingIdentity,
            known.identity != start.descriptor.identity
        else { return }
        throw TidemarkError(
            .sourceIdentityChanged,
            "the archive of \(name) belongs to \(known.kind) \(known.identity), but the server is "
                + start.descriptor.identity,
            remedy: "point the source's url at the right server, or give the new one a new name")
    }

    /// Checks, just before the manifest claims it, that every file is there in full.
    private func checkStored(
        _ files: [StoredFile], _ folder: ObjectKey
    ) throws(TidemarkError) {
        for file in files {
            let size = try repository.store.size(folder / file.name)
            guard size != file.storedBytes else { continue }
            throw TidemarkError(
                .archiveIncomplete,
                "\(folder / file.name) was stored with \(file.storedBytes) bytes and now has "
                    + (size.map { "\($0)" } ?? "vanished"),
                remedy: "find out what else writes to \(repository.store.url), then try again")
        }
    }
}
