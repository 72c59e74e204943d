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
    /// Whether something that needs a database came while none was known.
    private var isBlind = false
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
            guard from >= order.first, from < end else { return }
            let rest = bytes.extracting(Int(from - first)..<Int(end - first))
            guard let begun = try begin(rest, at: from, write) else { return }
            from = begun
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

    /// Where the database is known the stretch begins at once; else behind the first SELECT, if
    /// nothing before it changes data. Returns the place; nil when it did not come yet.
    private func begin(
        _ bytes: RawSpan, at first: UInt64, _ write: (RawSpan) throws(TidemarkError) -> Void
    ) throws(TidemarkError) -> UInt64? {
        var start = StreamEdge(position: order.first)
        let known = finder.map(\.edge.state) ?? state
        if first == order.first, let database = Int(known.isEmpty ? order.state : known) {
            start.database = database
        } else {
            guard let selected = try select(bytes, at: first) else { return nil }
            if isBlind { throw unknownDatabase(until: selected.position) }
            start = selected
        }
        var filter = StreamFilter(at: start, edit: edit)
        filter.index(entries)
        self.filter = filter
        let number = String(start.database)
        let select = Array("*2\r\n$6\r\nSELECT\r\n$\(number.utf8.count)\r\n\(number)\r\n".utf8)
        prefixBytes = UInt64(select.count)
        try write(unsafe select.span.bytes)
        return start.position
    }

    /// The edge behind the first SELECT; nil when it did not come yet.
    private func select(
        _ bytes: RawSpan, at first: UInt64
    ) throws(TidemarkError) -> StreamEdge? {
        var splitter = finder ?? CommandSplitter(at: StreamEdge(position: first))
        defer { finder = splitter }
        var cursor = 0
        do throws(SplitFailure) {
            return try unsafe bytes.withUnsafeBytes { (raw) throws(SplitFailure) in
                while try splitter.next(unsafe Span(_unsafeBytes: raw), &cursor) {
                    switch splitter.command.kind {
                    case .ping, .getAck, .select: break
                    default: isBlind = true
                    }
                    if splitter.edge.database >= 0 { return splitter.edge }
                }
                return nil
            }
        } catch {
            throw error.archiveDamaged
        }
    }

    private func unknownDatabase(until place: UInt64?) -> TidemarkError {
        let scheme = OffsetPositionStyle().scheme
        let later = place.flatMap { $0 < order.last ? $0 : nil }.map {
            "the nearest place behind it is --from \(scheme):\($0); "
        }
        return TidemarkError(
            .targetOutsideWindow,
            "the archive does not know which database was selected at \(order.first)",
            remedy: (later ?? "")
                + "without --from the export begins at a base backup, which knows it")
    }

    func finish() throws(TidemarkError) -> UInt64 {
        if filter == nil, finder?.edge.position == order.last {
            throw unknownDatabase(until: nil)
        }
        guard let filter, filter.edge.position == order.last else {
            throw TidemarkError(
                .archiveIncomplete,
                "the archive of \(order.descriptor.source) ends before \(order.last)",
                remedy: "run `tidemark verify`, and take an earlier end")
        }
        return prefixBytes + filter.writtenAtEdge
    }
}
