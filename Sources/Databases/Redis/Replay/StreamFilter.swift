import Model

/// Turns the raw stream into commands for an append-only file, or for a server that writes one.
///
/// Left out are PING, REPLCONF and PUBLISH, which change nothing, and MULTI and EXEC: the loader
/// runs one command after the other anyway, and a server whose default user is restricted would
/// drop every transaction. What remains loads to the same data in less time. Everything else passes
/// byte for byte; only a command that has begun and not ended is held back, and only while it is
/// small, or while its expiry may have to be changed.
struct StreamFilter: Sendable {
    /// A longer command is none of those that are left out, except PUBLISH, which does no harm.
    private static let heldLimit = 64 << 10

    private var splitter: CommandSplitter
    private let edit: ExpiryEdit
    /// When the commands from a position on had arrived, ascending; for relative expiries.
    private var times: [TimeIndexEntry] = []
    private var held: [UInt8] = []
    /// The beginning of the command under way has been handed on.
    private var isPassing = false
    /// Bytes handed on so far.
    private(set) var written: UInt64 = 0
    /// As many of them belong to whole transactions.
    private(set) var writtenAtEdge: UInt64 = 0

    init(
        at edge: StreamEdge, edit: ExpiryEdit = ExpiryEdit(change: .none, hasRelativeTimes: false)
    ) {
        splitter = CommandSplitter(at: edge)
        self.edit = edit
    }

    /// The times of the bytes that come next.
    mutating func index(_ entries: [TimeIndexEntry]) {
        guard edit.hasRelativeTimes, let first = entries.first else { return }
        // What lies before has passed by already, but for the last entry, which still counts.
        times = times.suffix(1).filter { $0.position < first.position } + entries
    }

    /// End of the last whole transaction.
    var edge: StreamEdge { splitter.edge }
    /// The next byte wanted.
    var position: UInt64 { splitter.position }

    /// Takes a piece and hands what is kept to `output`, in order.
    mutating func take(
        _ bytes: RawSpan, _ output: (RawSpan) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        var kept = 0
        var cursor = 0
        var whole = 0
        while try next(bytes, &cursor) {
            if !isPassing, let changed = changed(bytes, whole..<cursor) {
                try replace(bytes, kept..<(held.isEmpty ? whole : 0), changed, output)
                kept = cursor
            } else if Self.isLeftOut(splitter.command.kind), !isPassing {
                let start = held.isEmpty ? whole : 0
                try hand(bytes.extracting(kept..<start), output)
                held.removeAll(keepingCapacity: true)
                kept = cursor
            } else if !held.isEmpty {
                try handHeld(output)
            }
            isPassing = false
            whole = cursor
            if !splitter.isInTransaction { writtenAtEdge = written + UInt64(cursor - kept) }
        }
        let end = isPassing ? bytes.byteCount : whole
        try hand(bytes.extracting(kept..<max(kept, end)), output)
        guard !isPassing, whole < bytes.byteCount else { return }
        bytes.extracting(whole..<bytes.byteCount).append(to: &held)
        if held.count > Self.heldLimit, edit.isEmpty || !ExpiryEdit.mayConcern(held) {
            try handHeld(output)
            isPassing = true
        }
    }

    /// The command that has just ended, when its expiry has to be changed.
    private func changed(_ bytes: RawSpan, _ place: Range<Int>) -> [UInt8]? {
        guard !edit.isEmpty, splitter.command.kind == .other else { return nil }
        var command = held
        bytes.extracting(held.isEmpty ? place : 0..<place.upperBound).append(to: &command)
        return edit.apply(command, now: arrival(of: splitter.command.first))
    }

    /// In milliseconds since 1970.
    private func arrival(of position: UInt64) -> Int64 {
        let entry = times.last { $0.position <= position } ?? times.first
        return (entry?.latest.microseconds ?? 0) / 1000
    }

    private mutating func replace(
        _ bytes: RawSpan, _ before: Range<Int>, _ command: [UInt8],
        _ output: (RawSpan) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        try hand(bytes.extracting(before), output)
        held.removeAll(keepingCapacity: true)
        try hand(unsafe command.span.bytes, output)
    }

    private mutating func next(_ bytes: RawSpan, _ cursor: inout Int) throws(TidemarkError) -> Bool
    {
        do throws(SplitFailure) {
            return try unsafe bytes.withUnsafeBytes { (raw) throws(SplitFailure) in
                try splitter.next(
                    unsafe Span(_unsafeElements: raw.assumingMemoryBound(to: UInt8.self)), &cursor)
            }
        } catch {
            throw error.archiveDamaged
        }
    }

    private mutating func handHeld(
        _ output: (RawSpan) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        let first = held
        held = []
        try hand(unsafe first.span.bytes, output)
    }

    private mutating func hand(
        _ bytes: RawSpan, _ output: (RawSpan) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        guard bytes.byteCount > 0 else { return }
        try output(bytes)
        written += UInt64(bytes.byteCount)
    }

    private static func isLeftOut(_ kind: CommandKind) -> Bool {
        switch kind {
        case .multi, .exec, .ping, .getAck, .publish: true
        case .other, .select, .flushAll, .flushDatabase, .swapDatabases, .flushFunctions, .delete,
            .unlink,
            .replay:
            false
        }
    }
}
