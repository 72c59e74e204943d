import Model
import Platform

/// A folder as mongodump leaves it, with `oplog.bson` cut at the target: for the official tools.
///
/// ```
/// mongorestore --oplogReplay DIR
/// ```
///
/// Of change streams, which the official tools do not read, the events are in `changes.bson`.
///
/// Entries up to the base's start are left out, since they are in it. Until everything is durable
/// the oplog has another name, so that no tool takes a part of it for the whole.
final class RestoredDump: Restoration {
    let warnings: [String] = []
    let notes: [String] = []
    private let order: RestoreOrder
    private var file: DumpFile?
    private var oplog: DumpFile?
    private var entries = ArchivedEntries()
    private var reached: UInt64
    private let oplogName: String
    private var unfinishedName: String { oplogName + Self.unfinished }
    private static let unfinished = ".unfinished"
    private static let names = ["oplog.bson", "changes.bson"]

    static let unstartable = "a MongoDB dump is no data directory that a server could start on"

    init(_ order: RestoreOrder) throws(TidemarkError) {
        self.order = order
        reached = order.backup.start
        let isOfEvents = ChangeTimeline.isOne(order.timeline)
        oplogName = Self.names[isOfEvents ? 1 : 0]
        try Self.checkDestination(order)
    }

    var nextStep: String? {
        let fill = "let tidemark fill an empty server: --into \(order.source)=mongodb://host:27017/"
        if ChangeTimeline.isOne(order.timeline) {
            return "the official tools do not read changes.bson; " + fill
        }
        return "fill an empty server by `mongorestore --oplogReplay \(order.destination)`, or "
            + fill
    }

    private static func checkDestination(_ order: RestoreOrder) throws(TidemarkError) {
        let names: [String]
        do throws(SystemFailure) {
            names = try Directory.names(in: order.destination)
        } catch  where error.isAbsence {
            return
        } catch {
            throw error.asTidemarkError
        }
        if names.isEmpty { return }
        guard order.force else {
            throw TidemarkError(
                .destinationOccupied, "\(order.destination) is not empty",
                remedy: "name an empty folder with --into, or add --force to replace what is there")
        }
        let known = Self.names + Self.names.map { $0 + unfinished }
        guard names.contains(where: { known.contains($0) }) else {
            throw TidemarkError(
                .destinationOccupied, "\(order.destination) holds something that is no dump",
                remedy: "name an empty folder with --into; --force replaces only a dump")
        }
    }

    func begin() throws(TidemarkError) {
        order.leaves(order.halfWritten)
        do throws(SystemFailure) {
            try Directory.makeAll(order.destination)
            for name in try Directory.names(in: order.destination) {
                try Directory.removeAll(order.destination + "/" + name)
            }
        } catch {
            throw error.asTidemarkError
        }
        oplog = try DumpFile(order.destination + "/" + unfinishedName)
    }

    func open(_ stored: StoredFile) throws(TidemarkError) {
        guard let plain = stored.plainDumpName else {
            file = nil
            return
        }
        let path = order.destination + "/" + plain
        do throws(SystemFailure) {
            try Directory.makeAll(Directory.parent(path))
        } catch {
            throw error.asTidemarkError
        }
        file = try DumpFile(path)
    }

    func write(_ bytes: RawSpan) throws(TidemarkError) { try file?.append(bytes) }

    func close() throws(TidemarkError) {
        try file?.finish()
        file = nil
    }

    var takesStream: Bool { true }

    func stream(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) {
        let end = order.stop?.end ?? .max
        try entries.take(bytes, at: first) { (entry, head) throws(TidemarkError) in
            guard head.ts.ordinal > order.backup.start, head.ts.ordinal <= end else { return }
            try unsafe oplog?.append(entry.bytes)
            reached = head.ts.ordinal
        }
    }

    func complete() throws(TidemarkError) {
        try order.requireReached(reached)
        try oplog?.finish()
        oplog = nil
        let root = order.destination
        try DumpFile.rename(
            root + "/" + unfinishedName, to: root + "/" + oplogName, in: root)
    }

    func start(port: UInt16?) throws(TidemarkError) -> RestoredServer {
        preconditionFailure("a dump starts no server")
    }
}

extension StoredFile {
    private static let dumpKinds = [".metadata.json", ".bson"]

    /// Path in a dump, without the archive's compression suffix; nil for what is no part of one.
    var plainDumpName: String? {
        // A collection's own name may end like either.
        let isPlain = Self.dumpKinds.contains { name.hasSuffix($0) }
        let end = isPlain ? name.endIndex : name.lastIndex(of: ".") ?? name.endIndex
        for kind in Self.dumpKinds where name[..<end].hasSuffix(kind) {
            let parts = name[..<end].dropLast(kind.count).split(separator: "/").map(String.init)
            guard let collection = parts.last else { continue }
            return (parts.dropLast() + [DumpedName.dumped(collection) + kind])
                .joined(separator: "/")
        }
        return nil
    }
}

extension RestoreOrder {
    /// Throws unless everything up to the target has come.
    func requireReached(_ reached: UInt64) throws(TidemarkError) {
        guard let stop, reached < stop.end, reached < stop.last else { return }
        throw TidemarkError(
            .archiveIncomplete,
            "the archive of \(source) ends at \(OpTime(ordinal: reached)), before the target at "
                + "\(OpTime(ordinal: stop.end))",
            remedy: "run `tidemark verify`, and take an earlier target")
    }
}
