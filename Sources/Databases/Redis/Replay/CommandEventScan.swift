import Model

/// Finds the commands that took much away at once: FLUSHALL, FLUSHDB, SWAPDB, FUNCTION FLUSH, and
/// DEL or UNLINK of many keys.
///
/// The place to go back to is the edge before the command, so before its MULTI if it has one.
final class CommandEventScan: EventScan {
    /// Fewer keys in one command are everyday work.
    static let manyKeys = 100

    private let timeline: TimelineID
    private var splitter: CommandSplitter?
    private var state: String?
    private var index: ArraySlice<TimeIndexEntry> = []

    init(_ timeline: TimelineID) { self.timeline = timeline }

    func index(_ entries: [TimeIndexEntry], state: String?) {
        index = entries[...]
        self.state = state
    }

    func take(
        _ bytes: RawSpan, at first: UInt64,
        _ found: (DestructiveEvent) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        var splitter = standing(at: first)
        defer { self.splitter = splitter }
        var cursor = 0
        var edge = splitter.edge
        while try next(&splitter, bytes, &cursor) {
            if let action = action(splitter.command) {
                try found(
                    DestructiveEvent(
                        before: Position(timeline: timeline, ordinal: edge.position),
                        action: action, place: place(splitter.command.kind, splitter.database),
                        time: time(of: splitter.command.first)))
            }
            edge = splitter.edge
        }
    }

    /// Bytes that do not follow the last ones begin a stretch of their own, at an edge.
    private func standing(at first: UInt64) -> CommandSplitter {
        if let splitter, splitter.position == first { return splitter }
        let database = state.flatMap { Int($0) } ?? CommandSplitter.unknownDatabase
        return CommandSplitter(at: StreamEdge(position: first, database: database))
    }

    private func next(
        _ splitter: inout CommandSplitter, _ bytes: RawSpan, _ cursor: inout Int
    ) throws(TidemarkError) -> Bool {
        do throws(SplitFailure) {
            return try unsafe bytes.withUnsafeBytes { (raw) throws(SplitFailure) in
                try splitter.next(unsafe Span(_unsafeBytes: raw), &cursor)
            }
        } catch {
            throw error.archiveDamaged
        }
    }

    private func action(_ command: StreamCommand) -> String? {
        switch command.kind {
        case .flushAll: return "FLUSHALL"
        case .flushDatabase: return "FLUSHDB"
        case .swapDatabases: return "SWAPDB"
        case .flushFunctions: return "FUNCTION FLUSH"
        case .delete, .unlink:
            let keys = command.argumentCount - 1
            let name = command.kind == .delete ? "DEL" : "UNLINK"
            return keys >= Self.manyKeys ? "\(name) of \(keys) keys" : nil
        case .other, .select, .multi, .exec, .ping, .getAck, .publish, .replay: return nil
        }
    }

    private func place(_ kind: CommandKind, _ database: Int) -> String {
        switch kind {
        case .flushDatabase, .delete, .unlink: database < 0 ? "" : "database \(database)"
        default: ""
        }
    }

    private func time(of position: UInt64) -> CommitTime? {
        while index.count > 1, index[index.startIndex + 1].position <= position {
            index.removeFirst()
        }
        return index.first.flatMap { $0.position <= position ? $0.latest : nil }
    }
}
