import Glibc
import Model
import Platform

/// A copy of a cluster being laid down: folder, tablespaces, settings, signal file.
///
/// Nothing can start from the folder before `complete`: `global/pg_control` has another name until
/// everything else is durable.
final class RestoredCluster: Restoration {
    private(set) var warnings: [String]
    private(set) var notes: [String] = []
    let order: RestoreOrder
    let programs: ServerPrograms?
    private let destination: Destination
    private let places: TablespacePlaces
    private var manifest: BackupManifest?
    private var configuration: [(path: String, content: [UInt8])] = []
    private var checked = 0
    private var map: [UInt8]?
    /// The stored file that is open now.
    private var file: StoredFile?
    private var tar = TarReader()
    private var writer: DataDirectoryWriter?
    private var collected: [UInt8] = []

    /// Checks everything that can be checked without writing.
    init(_ order: RestoreOrder) throws(TidemarkError) {
        self.order = order
        destination = Destination(path: order.destination)
        places = try TablespacePlaces(order.backup.files, relocations: order.relocations)
        try destination.check(force: order.force)
        try places.check(force: order.force)
        try Self.checkRoom(order, places)
        (programs, warnings) = try Self.findPrograms(order)
        if let warning = RecoverySettings(order: order).preloadWarning { warnings.append(warning) }
    }

    private static func checkRoom(
        _ order: RestoreOrder, _ places: TablespacePlaces
    ) throws(TidemarkError) {
        var needs: [(path: String, bytes: UInt64)] = []
        for file in order.backup.files {
            let place = places.places.first { $0.oid == file.origin && file.role == .tablespace }
            needs.append((place?.new ?? order.destination, file.bytes))
        }
        // Recovery keeps a few segments at a time; sixteen are a cautious guess.
        needs.append((order.destination, 16 * order.descriptor.segmentBytes))
        try Destination.checkRoom(needs)
    }

    private static func findPrograms(
        _ order: RestoreOrder
    ) throws(TidemarkError) -> (ServerPrograms?, [String]) {
        let programs: ServerPrograms
        do {
            programs = try ServerPrograms.find(
                major: order.descriptor.majorVersion, folders: order.programs)
        } catch let error where !order.starts && order.programs.isEmpty {
            return (nil, [error.message])
        }
        let missing = try programs.missingLibraries(order.backup.server)
        if !missing.isEmpty {
            throw TidemarkError(
                .toolMissing,
                "the databases need libraries that are not installed here: "
                    + missing.joined(separator: ", "),
                remedy: "install exactly these versions; without them the server does not start, "
                    + "or answers over compressed TimescaleDB chunks are silently short")
        }
        let older = try programs.minorWarning(order.backup.server)
        return (programs, (older.map { [$0] } ?? []) + pins(order.backup.server))
    }

    private static func pins(_ server: ServerFacts) -> [String] {
        server.extensions.filter { $0.key.hasSuffix("/timescaledb") }.sorted { $0.key < $1.key }
            .map { key, version in
                "\(key) needs the library of exactly version \(version); background jobs stay off "
                    + "until timescaledb.max_background_workers is set again"
            }
    }

    func begin() throws(TidemarkError) {
        order.leaves(order.halfWritten)
        try destination.clear()
        for place in places.places { try CopyFiles.makeFolder(place.new) }
    }
}

extension RestoredCluster {
    func open(_ file: StoredFile) throws(TidemarkError) {
        precondition(self.file == nil, "one stored file at a time")
        self.file = file
        collected = []
        switch file.role {
        case .manifest, .configuration:
            writer = nil
        case .data:
            tar = TarReader()
            writer = DataDirectoryWriter(root: order.destination, prefix: "", manifest: manifest)
        case .tablespace:
            guard let place = places.places.first(where: { $0.oid == file.origin }) else {
                throw TidemarkError(
                    .archiveDamaged, "\(file.name) of base backup \(order.backup.id) has no place",
                    remedy: "restore from another base backup (`tidemark list`)")
            }
            tar = TarReader()
            writer = DataDirectoryWriter(
                root: place.new, prefix: "pg_tblspc/\(place.oid)/", manifest: manifest)
        }
    }

    func write(_ bytes: RawSpan) throws(TidemarkError) {
        if let writer {
            try tar.take(bytes, into: writer)
        } else {
            unsafe bytes.withUnsafeBytes { unsafe collected.append(contentsOf: $0) }
        }
    }

    func close() throws(TidemarkError) {
        guard let file else { preconditionFailure("a close comes after an open") }
        self.file = nil
        switch file.role {
        case .manifest:
            manifest = BackupManifest(collected)
            try CopyFiles.writeWhole(order.destination + "/backup_manifest", collected)
        case .configuration:
            configuration.append((file.origin ?? file.name, collected))
        case .data, .tablespace:
            try tar.finish()
            checked += writer?.checked ?? 0
            if file.role == .data { map = writer?.kept["tablespace_map"] }
        }
        writer = nil
        collected = []
    }

    func complete() throws(TidemarkError) {
        let root = order.destination
        try checkWhole()
        if let map {
            let moved = places.map(over: TablespaceMap(parsing: map))
            let isMoved = places.places.contains { $0.old != $0.new }
            try CopyFiles.writeWhole(root + "/tablespace_map", isMoved ? moved.bytes : map)
        }
        try CopyConfiguration(order: order, files: configuration).write()
        try CopyFiles.writeWhole(root + "/recovery.signal", [])
        for folder in [root] + places.places.map(\.new) { try FileSystemSync.run(holding: folder) }
        try CopyFiles.rename(
            root + "/" + DataDirectoryWriter.heldBackName,
            root + "/" + DataDirectoryWriter.heldBack)
        try CopyFiles.removeTree(root + "/" + Destination.unfinishedMark)
        try FileSystemSync.run(holding: root)
    }

    private func checkWhole() throws(TidemarkError) {
        let root = order.destination
        guard CopyFiles.exists(root + "/" + DataDirectoryWriter.heldBackName),
            CopyFiles.exists(root + "/backup_label"), CopyFiles.exists(root + "/PG_VERSION")
        else {
            throw TidemarkError(
                .archiveDamaged,
                "base backup \(order.backup.id) has no pg_control, backup_label or PG_VERSION",
                remedy: "restore from another base backup (`tidemark list`)")
        }
        guard let manifest, checked != manifest.entries.count else { return }
        throw TidemarkError(
            .archiveDamaged,
            "base backup \(order.backup.id) holds \(checked) of the \(manifest.entries.count) "
                + "files that its manifest names",
            remedy: "restore from another base backup (`tidemark list`)")
    }

    var nextStep: String? {
        let root = order.destination
        let control = programs?.control ?? "pg_ctl"
        return order.commandPrefix + "\(control) start -w -t 86400 -D "
            + ServerStart.shellQuoted(root) + " -l "
            + ServerStart.shellQuoted(root + "/tidemark-start.log")
            + " -o '-p 5433' (it recovers to the target first; the port must be free)"
    }

    func start(port: UInt16?) throws(TidemarkError) -> RestoredServer {
        guard let programs else {
            preconditionFailure("a restore that starts a server has found its programs")
        }
        var chosen = port
        if chosen == nil { chosen = try LoopbackPort.free() }
        let start = ServerStart(order: order, programs: programs)
        let server = try start.run(port: chosen ?? 0)
        notes += start.remarks(port: chosen ?? 0)
        do throws(TidemarkError) {
            warnings += try CopyConfiguration(order: order, files: configuration).settle()
        } catch {
            // The server runs and is what was asked for.
            warnings.append(
                "\(order.destination)/postgresql.auto.conf still holds recovery's settings "
                    + "(\(error.message)); before the next start, take out the block that "
                    + "`tidemark restore` wrote")
        }
        return server
    }
}
