import Model

/// Turns the raw stream into commands for an append-only file.
///
/// Left out are PING, REPLCONF and PUBLISH, which change nothing, and MULTI and EXEC: the loader
/// runs one command after the other anyway, and a server whose default user is restricted would
/// drop every transaction. What remains loads to the same data in less time. Everything else passes
/// byte for byte; only a command that has begun and not ended is held back, and only while it is
/// small.
struct StreamFilter: Sendable {
    /// A longer command is none of those that are left out, except PUBLISH, which does no harm.
    private static let heldLimit = 64 << 10

    private var splitter: CommandSplitter
    private var held: [UInt8] = []
    /// The beginning of the command under way has been handed on.
    private var isPassing = false
    /// Bytes handed on so far.
    private(set) var written: UInt64 = 0
    /// As many of them belong to whole transactions.
    private(set) var writtenAtEdge: UInt64 = 0

    init(at edge: StreamEdge) { splitter = CommandSplitter(at: edge) }

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
            if Self.isLeftOut(splitter.command.kind), !isPassing {
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
        if held.count > Self.heldLimit {
            try handHeld(output)
            isPassing = true
        }
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
            .replay:
            false
        }
    }
}
