/// What one piece of the stream held, summed up; made anew for each piece.
package struct StreamScan: Sendable {
    /// Whole commands that ended in the piece.
    package var commands = 0
    /// End of the last `REPLCONF GETACK`.
    package var getAckEnd: UInt64?
    /// KeyDB's wrapped replication was seen.
    package var hasReplay = false

    package init() {}
}

extension CommandSplitter {
    /// Takes a whole piece. Throws at the first byte that is no stream; `position` is then its
    /// offset and everything before it was good.
    package mutating func scan(
        _ bytes: Span<UInt8>, into scan: inout StreamScan
    ) throws(SplitFailure) {
        var cursor = 0
        while try next(bytes, &cursor) {
            scan.commands &+= 1
            switch command.kind {
            case .getAck: scan.getAckEnd = command.last
            case .replay: scan.hasReplay = true
            case .other, .ping, .select, .multi, .exec, .flushAll, .flushDatabase, .swapDatabases,
                .flushFunctions, .delete, .unlink, .publish:
                break
            }
        }
    }
}

extension CommandSplitter {
    /// The same for bytes that are lent raw.
    package mutating func scan(
        _ bytes: RawSpan, into scan: inout StreamScan
    ) throws(SplitFailure) {
        try unsafe bytes.withUnsafeBytes { (raw) throws(SplitFailure) in
            try self.scan(unsafe Span(_unsafeBytes: raw), into: &scan)
        }
    }
}
