import Model

/// Reads times and restore points out of archived entries.
final class OplogHistoryScan: HistoryScan {
    private var entries = ArchivedEntries()
    private var previous: UInt64?

    func take(
        _ bytes: RawSpan, at first: UInt64, _ found: (HistoryEntry) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        try entries.take(bytes, at: first) { (entry, head) throws(TidemarkError) in
            let before = previous ?? first
            previous = head.ts.ordinal
            guard let wall = head.wall else { return }
            var event = HistoryEntry.Event.commit(transaction: 0)
            if head.kind == .noop, let name = try? RestorePointNote.name(in: entry) {
                event = .restorePoint(name: name)
            }
            try found(
                HistoryEntry(
                    event: event, first: before, last: head.ts.ordinal,
                    time: CommitTime(milliseconds: wall)))
        }
    }
}
