import Model
import Platform

/// A copy of a Redis being laid down: append-only files and the settings that loading them needs.
final class RestoredData: Restoration {
    private(set) var warnings: [String]
    private(set) var notes: [String] = []
    private let order: RestoreOrder
    private let programs: ServerProgram?
    private var files: AppendOnlyFiles
    private var payload: RDBCheck
    private let edit: ExpiryEdit
    /// Changes the expiries of the RDB; nil when they stay.
    private var expiries: RDBExpiryFilter?
    private var filter: StreamFilter?
    private var preamble: RDBPreamble?
    /// Size of the stream's file before its first byte.
    private var filesStart: UInt64 = 0

    /// Checks everything that can be checked without writing.
    init(_ order: RestoreOrder) throws(TidemarkError) {
        self.order = order
        try Self.checkDestination(order)
        guard order.backup.files.contains(where: { $0.role == .data }) else {
            throw TidemarkError(
                .archiveIncomplete, "base backup \(order.backup.id) names no RDB",
                remedy: "restore from another base backup (`tidemark list`)")
        }
        let level = order.release.level
        files = AppendOnlyFiles(order.destination, isMultiPart: level >= .filtering)
        payload = RDBCheck()
        edit = ExpiryEdit(order.expiry, level)
        try order.checkExpiry(edit.change)
        if edit.change != .none { expiries = RDBExpiryFilter(edit.change) }
        (programs, warnings) = try ServerProgram.find(order)
        warnings += order.clusterNotes
        for (name, version) in order.backup.server.extensions.sorted(by: { $0.key < $1.key }) {
            warnings.append(
                "the server needs the module \(name), version \(version), before it loads")
        }
    }

    private static func checkDestination(_ order: RestoreOrder) throws(TidemarkError) {
        let root = order.destination
        let names: [String]
        do throws(SystemFailure) {
            names = try Directory.names(in: root)
        } catch  where error.isAbsence {
            return
        } catch {
            throw error.asTidemarkError
        }
        if names.isEmpty { return }
        guard order.force else {
            throw TidemarkError(
                .destinationOccupied, "\(root) is not empty",
                remedy: "name an empty folder with --into, or add --force to replace what is there")
        }
        if let stranger = names.first(where: { !AppendOnlyFiles.isServerFile($0) }) {
            throw TidemarkError(
                .destinationOccupied,
                "the destination \(root) holds \(stranger), which no Redis and no restore made",
                remedy: "name an empty folder with --into; --force replaces only what a server or "
                    + "a restore has left")
        }
        if let process = RestoredStart.runningServer(on: root) {
            throw TidemarkError(
                .destinationOccupied, "a server (process \(process)) runs on \(root)",
                remedy: "stop it first: kill \(process)")
        }
    }

    func begin() throws(TidemarkError) {
        let root = order.destination
        order.leaves(order.halfWritten)
        try translated { () throws(SystemFailure) in
            try Directory.makeAll(root)
            for name in try Directory.names(in: root) {
                try Directory.removeAll(root + "/" + name)
            }
        }
    }
}

// MARK: files and stream

extension RestoredData {
    func open(_ file: StoredFile) throws(TidemarkError) {
        guard file.role == .data else { return }
        try files.beginBase()
    }

    func write(_ bytes: RawSpan) throws(TidemarkError) {
        payload.take(bytes)
        guard expiries != nil else { return try files.append(bytes) }
        try expiries?.take(bytes) { (changed) throws(TidemarkError) in try files.append(changed) }
    }

    func close() throws(TidemarkError) {
        preamble = try payload.finish()
        let told = order.backup.server.settings["repl-stream-db"].flatMap { Int($0) }
        let database = preamble?.fields["repl-stream-db"].flatMap { Int($0) } ?? told ?? 0
        try files.beginStream(database: database)
        filter = StreamFilter(
            at: StreamEdge(position: order.backup.start, database: database), edit: edit)
        filesStart = files.written
    }

    var takesStream: Bool { true }

    func index(_ entries: [TimeIndexEntry]) { filter?.index(entries) }

    func stream(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) {
        guard var filter else { preconditionFailure("the stream comes behind the base backup") }
        guard let part = try order.wanted(bytes.byteCount, at: first, from: filter.position)
        else { return }
        try filter.take(bytes.extracting(part)) { (kept) throws(TidemarkError) in
            try files.append(kept)
        }
        self.filter = filter
    }

    func complete() throws(TidemarkError) {
        guard let filter else {
            throw TidemarkError(
                .archiveIncomplete, "base backup \(order.backup.id) has no RDB",
                remedy: "restore from another base backup (`tidemark list`)")
        }
        if let stop = order.stop, filter.edge.position != stop.end {
            throw TidemarkError(
                .archiveIncomplete,
                "the archive of \(order.source) ends at "
                    + "\(filter.edge.position), before the target at \(stop.end)",
                remedy: "run `tidemark verify`, and take an earlier target")
        }
        // What follows the last whole transaction must not be there: a server that loads an open
        // one loses what is written after the restore.
        try files.cut(to: filesStart + filter.writtenAtEdge)
        try AppendOnlyFiles.writeWhole(
            order.destination + "/" + RestoredSettings.fileName,
            RestoredSettings(order).text)
        try files.complete()
    }

    var nextStep: String? {
        let isValkey = order.release.isValkey
        let server = programs?.path ?? (isValkey ? "valkey-server" : "redis-server")
        return order.commandPrefix + server + " "
            + ServerProgram.quoted(order.destination + "/" + RestoredSettings.fileName)
            + " --port 6380 (without that file a server ignores what was restored; the port must "
            + "be free)"
    }

    func start(port: UInt16?) throws(TidemarkError) -> RestoredServer {
        guard let programs, let filter else {
            preconditionFailure("a restore that starts a server has found its program")
        }
        let start = RestoredStart(order: order, program: programs)
        let (server, keys) = try start.run(
            port: port, reached: Position(timeline: order.timeline, ordinal: filter.edge.position))
        notes += keys
        return server
    }
}
