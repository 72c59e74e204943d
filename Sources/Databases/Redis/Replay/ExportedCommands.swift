import Model

/// A stretch of the stream as an append-only file, for `export`.
///
/// It holds what a restore's increment would: SELECT, then every command that changes something, up
/// to an edge (`StreamFilter`). A server takes it as an increment of its own, `redis-check-aof`
/// reads it. The database selected where the stretch begins is found by reading on from the start
/// of its segment, since nothing else tells it there.
final class ExportedCommands: StreamExport {
    private let order: StreamExportOrder
    private let edit: ExpiryEdit
    /// Until the stretch begins: finds the selected database.
    private var finder: CommandSplitter?
    private var filter: StreamFilter?
    /// Arrival times noted before the stretch begins.
    private var entries: [TimeIndexEntry] = []
    /// State of the first segment's start.
    private var state = ""
    private var prefixBytes: UInt64 = 0

    init(_ order: StreamExportOrder) {
        self.order = order
        // A server that was upgraded since sends absolute times, which stay as they are.
        edit = ExpiryEdit(.keep, RedisVersion(order.descriptor.majorVersion))
    }

    var name: String {
        let style = OffsetPositionStyle()
        return style.fileText(order.first) + "-" + style.fileText(order.last) + ".aof"
    }

    func index(_ entries: [TimeIndexEntry], state: String?) {
        if finder == nil { self.state = state ?? "" }
        self.entries = entries
        filter?.index(entries)
    }

    func take(
        _ bytes: RawSpan, at first: UInt64, _ write: (RawSpan) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        let end = min(first + UInt64(bytes.byteCount), order.last)
        var from = max(first, filter?.position ?? finder?.position ?? first)
        guard first <= filter?.position ?? finder?.position ?? first else {
            throw TidemarkError(
                .archiveIncomplete,
                "the archive of \(order.descriptor.source) misses the bytes before \(first)",
                remedy: "run `tidemark verify`")
        }
        if filter == nil {
            let until = min(end, order.first)
            if from < until {
                try find(bytes.extracting(Int(from - first)..<Int(until - first)), at: from)
                from = until
            }
            guard from == order.first, from < end else { return }
            try begin(write)
        }
        guard from < end, var filter else { return }
        try filter.take(bytes.extracting(Int(from - first)..<Int(end - first)), write)
        self.filter = filter
    }

    private func find(_ bytes: RawSpan, at first: UInt64) throws(TidemarkError) {
        var splitter =
            finder
            ?? CommandSplitter(
                at: StreamEdge(
                    position: first, database: Int(state) ?? CommandSplitter.unknownDatabase))
        var scan = StreamScan()
        do throws(SplitFailure) {
            try splitter.scan(bytes, into: &scan)
        } catch {
            throw error.archiveDamaged
        }
        finder = splitter
    }

    private func begin(
        _ write: (RawSpan) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        let known = finder.map(\.edge.state) ?? state
        guard let database = Int(known.isEmpty ? order.state : known) else {
            throw TidemarkError(
                .archiveIncomplete,
                "the archive does not know which database was selected at \(order.first)",
                remedy: "leave --from out: then the export begins at a base backup, which knows it")
        }
        var filter = StreamFilter(
            at: StreamEdge(position: order.first, database: database), edit: edit)
        filter.index(entries)
        self.filter = filter
        let number = String(database)
        let select = Array("*2\r\n$6\r\nSELECT\r\n$\(number.utf8.count)\r\n\(number)\r\n".utf8)
        prefixBytes = UInt64(select.count)
        try write(unsafe select.span.bytes)
    }

    func finish() throws(TidemarkError) -> UInt64 {
        guard let filter, filter.edge.position == order.last else {
            throw TidemarkError(
                .archiveIncomplete,
                "the archive of \(order.descriptor.source) ends before \(order.last)",
                remedy: "run `tidemark verify`, and take an earlier end")
        }
        return prefixBytes + filter.writtenAtEdge
    }
}
