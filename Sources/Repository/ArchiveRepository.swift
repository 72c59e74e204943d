package import Model

/// The archive as the flow sees it: documents, segments and base backups by their names.
///
/// Blocking, like the store below it. Reads never change anything.
package final class ArchiveRepository: Sendable {
    package let store: any ObjectStore

    package init(_ store: any ObjectStore) { self.store = store }

    /// Checks that an archive of a known format is there. Throws `repositoryUnreachable` otherwise.
    @discardableResult
    package func open() throws(TidemarkError) -> ArchiveMarker {
        guard let marker = try document(ArchiveMarker.self, Layout.marker) else {
            throw TidemarkError(
                .repositoryUnreachable, "there is no archive at \(store.url) (no tidemark.json)",
                remedy: "check that it is mounted; `tidemark run` makes a new archive there")
        }
        guard marker.format == ArchiveMarker.currentFormat else {
            throw TidemarkError(
                .repositoryUnreachable,
                "the archive at \(store.url) has format \(marker.format), this program reads 1",
                remedy: "use the version of tidemark that wrote it, or a newer one")
        }
        return marker
    }

    /// Opens the archive, or makes one where there is nothing at all.
    ///
    /// Refuses a place that holds other files: it may be a wrong path or somebody else's data.
    @discardableResult
    package func openOrCreate(
        now: CommitTime, random: inout some RandomNumberGenerator
    ) throws(TidemarkError) -> ArchiveMarker {
        if try store.size(Layout.marker) != nil { return try open() }
        try checkVacant()
        let parts = (0..<4).map { _ in Self.hex(UInt32.random(in: 0...(.max), using: &random)) }
        let marker = ArchiveMarker(
            format: ArchiveMarker.currentFormat, archive: parts.joined(), created: now)
        do {
            try store.put(Layout.marker, JSONDocument.encode(marker), .create)
        } catch let error where error.code == .contentConflict {
            // Another sidecar was first; both use its archive.
        }
        return try open()
    }

    /// Throws when the place holds something, but no archive.
    package func checkVacant() throws(TidemarkError) {
        if let stranger = try store.list("").first(where: { $0.key.name != "lost+found" }) {
            throw TidemarkError(
                .repositoryUnreachable,
                "\(store.url) holds other files (\(stranger.key)) but no tidemark.json",
                remedy: "give repository.url an empty place of its own")
        }
    }

    /// Whether there is nothing at all, so that a new archive may be made here.
    package func isEmpty() throws(TidemarkError) -> Bool {
        guard try store.size(Layout.marker) == nil else { return false }
        return try store.list("").allSatisfy { $0.key.name == "lost+found" }
    }

    /// Writes and removes a small object, to know that writing works.
    package func probeWriting(now: CommitTime) throws(TidemarkError) {
        let key = ObjectKey("check-\(now.microseconds)")
        try store.put(key, Array("tidemark check".utf8), .create)
        try store.delete(key)
    }

    private static func hex(_ word: UInt32) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}

extension ArchiveRepository {
    /// A small document; nil when it does not exist.
    package func document<T: Decodable>(
        _ type: T.Type, _ key: ObjectKey
    ) throws(TidemarkError) -> T? {
        guard let bytes = try bytes(key, limit: 16 << 20) else { return nil }
        return try JSONDocument.decode(type, bytes, of: key)
    }

    /// A whole object of at most `limit` bytes; nil when it does not exist.
    package func bytes(_ key: ObjectKey, limit: Int) throws(TidemarkError) -> [UInt8]? {
        let reader: any ObjectReader
        do {
            reader = try store.open(key, at: 0)
        } catch let error where error.code == .notFound {
            return nil
        }
        defer { reader.close() }
        guard reader.size <= limit else {
            throw TidemarkError(
                .archiveDamaged, "\(key) has \(reader.size) bytes, more than such a file can have",
                remedy: "restore this file from a copy of the archive")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(reader.size))
        while true {
            let piece = try reader.read(1 << 20)
            if piece.isEmpty { return bytes }
            bytes += piece
        }
    }

    private func documents<T: Decodable>(
        _ type: T.Type, _ prefix: String
    ) throws(TidemarkError) -> [T] {
        var found: [T] = []
        for info in try store.list(prefix) where info.key.name.hasSuffix(".json") {
            if let value = try document(type, info.key) { found.append(value) }
        }
        return found
    }

    // MARK: sources

    /// Every source that has an archive here, by name.
    package func sources() throws(TidemarkError) -> [SourceDescriptor] {
        var found: [SourceDescriptor] = []
        for name in try store.folders("") {
            // What is no name of a source is not ours.
            guard let source = SourceID(name), let value = try descriptor(source) else { continue }
            found.append(value)
        }
        return found
    }

    package func descriptor(_ source: SourceID) throws(TidemarkError) -> SourceDescriptor? {
        try document(SourceDescriptor.self, Layout.descriptor(source))
    }

    /// Written once, at first contact; a different descriptor later is `contentConflict`.
    package func putDescriptor(_ descriptor: SourceDescriptor) throws(TidemarkError) {
        try store.put(
            Layout.descriptor(descriptor.source), JSONDocument.encode(descriptor), .create)
    }

    // MARK: watermark, gaps, points

    package func watermark(_ source: SourceID) throws(TidemarkError) -> Watermark? {
        do {
            return try document(Watermark.self, Layout.watermark(source))
        } catch let error where error.code == .archiveDamaged {
            throw TidemarkError(
                error.code, error.message,
                remedy: "move it away: no data is in it, and `tidemark run` writes a new one")
        }
    }

    /// The watermark for whoever goes on writing it, under the stream's lease.
    ///
    /// It holds no data: one that cannot be read is set aside as evidence, and the proof starts
    /// anew. `damage` then tells what was found and where it lies now.
    package func takeUpWatermark(
        _ source: SourceID, now: CommitTime
    ) throws(TidemarkError) -> (watermark: Watermark?, damage: String?) {
        do {
            return (try watermark(source), nil)
        } catch let error where error.code == .archiveDamaged {
            let key = Layout.watermark(source)
            let place = Layout.damagedWatermark(source, now)
            guard let content = try bytes(key, limit: 16 << 20) else { return (nil, nil) }
            try store.put(place, content, .replace)
            try store.delete(key)
            return (nil, "\(error.message); it was set aside as \(place)")
        }
    }

    package func putWatermark(
        _ source: SourceID, _ watermark: Watermark
    ) throws(TidemarkError) {
        try store.put(Layout.watermark(source), JSONDocument.encode(watermark), .replace)
    }

    /// How far `wal push` has stored the source's history; nil when it never did.
    package func pushed(_ source: SourceID) throws(TidemarkError) -> PushedMark? {
        try document(PushedMark.self, Layout.pushed(source))
    }

    /// Notes that everything of `range`'s timeline was pushed up to its end. Durable on return.
    package func notePushed(
        _ source: SourceID, _ range: PositionRange
    ) throws(TidemarkError) {
        let key = Layout.pushed(source)
        var mark = PushedMark()
        do {
            mark = try document(PushedMark.self, key) ?? mark
        } catch let error where error.code == .archiveDamaged {
            // It holds no data; what is pushed from now on makes a new one.
        }
        if mark.advance(range.timeline, to: range.last) {
            try store.put(key, JSONDocument.encode(mark), .replace)
        }
    }

    package func gaps(_ source: SourceID) throws(TidemarkError) -> [Gap] {
        try documents(Gap.self, Layout.gaps(source))
    }

    package func putGap(
        _ source: SourceID, _ style: any PositionStyle, _ gap: Gap
    ) throws(TidemarkError) {
        var key = Layout.gap(source, style, gap)
        if let known = try document(Gap.self, key) {
            guard known.timeline != gap.timeline else { return }
            // Numbers of different histories may be the same.
            key = Layout.gap(source, style, gap, timeline: gap.timeline)
        }
        if try store.size(key) == nil { try store.put(key, JSONDocument.encode(gap), .create) }
    }

    package func points(_ source: SourceID) throws(TidemarkError) -> [RestorePoint] {
        try documents(RestorePoint.self, Layout.points(source))
    }

    package func point(
        _ source: SourceID, _ name: String
    ) throws(TidemarkError) -> RestorePoint? {
        try document(RestorePoint.self, Layout.point(source, name))
    }

    /// A name that exists at another place is `contentConflict`.
    package func putPoint(
        _ source: SourceID, _ point: RestorePoint
    ) throws(TidemarkError) {
        try store.put(Layout.point(source, point.name), JSONDocument.encode(point), .create)
    }

    // MARK: base backups

    /// Finished base backups, oldest first, whole or not.
    package func backups(_ source: SourceID) throws(TidemarkError) -> [BaseBackupDescriptor] {
        try backups(source, in: try store.list(Layout.backups(source)))
    }

    /// The same from a listing of their folder.
    func backups(
        _ source: SourceID, in infos: [ObjectInfo]
    ) throws(TidemarkError) -> [BaseBackupDescriptor] {
        var found: [BaseBackupDescriptor] = []
        let prefix = Layout.backups(source)
        for info in infos where info.key.name == Layout.manifestName {
            // Further down it is a file of the backup.
            guard info.key.path.dropFirst(prefix.count).split(separator: "/").count == 2 else {
                continue
            }
            if let value = try document(BaseBackupDescriptor.self, info.key) { found.append(value) }
        }
        return found.sorted { $0.id < $1.id }
    }

    /// Written last: from now on the backup exists.
    package func putManifest(_ backup: BaseBackupDescriptor) throws(TidemarkError) {
        let key = Layout.manifest(backup.source, backup.id)
        try store.put(key, JSONDocument.encode(backup), .create)
    }

    /// Removes what interrupted base backups left behind: folders without a manifest. Returns their
    /// ids. Whoever holds the lease knows that no base backup is being written.
    @discardableResult
    package func sweepBackups(
        _ source: SourceID, under lease: ArchiveLease
    ) throws(TidemarkError) -> [String] {
        precondition(lease.source == source, "the lease is of another source")
        let prefix = Layout.backups(source)
        var files: [String: [ObjectKey]] = [:]
        var finished: Set<String> = []
        for info in try store.list(prefix) {
            let parts = info.key.path.dropFirst(prefix.count).split(separator: "/")
            // A file directly in the folder is not part of a base backup: the lease itself.
            guard parts.count > 1 else { continue }
            let id = String(parts[0])
            files[id, default: []].append(info.key)
            if parts.count == 2, info.key.name == Layout.manifestName { finished.insert(id) }
        }
        let leftovers = files.keys.filter { !finished.contains($0) }.sorted()
        for id in leftovers {
            for key in files[id] ?? [] { try store.delete(key) }
        }
        // Objects that were being written when their process ended.
        try store.sweep(prefix, olderThan: lease.abandonedAfterSeconds)
        return leftovers
    }

    /// Removes a base backup, the manifest first, so that it is never seen without its files.
    package func removeBackup(_ source: SourceID, _ id: String) throws(TidemarkError) {
        let folder = Layout.backup(source, id)
        try store.delete(Layout.manifest(source, id))
        for info in try store.list(folder.path + "/") { try store.delete(info.key) }
    }
}
