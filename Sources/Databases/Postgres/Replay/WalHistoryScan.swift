import Model

/// Finds the commits and restore points of WAL files that were not streamed by us.
final class WalHistoryScan: HistoryScan {
    private let descriptor: SourceDescriptor
    private let timeline: TimelineID
    private let tail: WalScanner.Tail
    /// Nil before the first bytes.
    private var scanner: WalScanner?

    init(_ descriptor: SourceDescriptor, _ timeline: TimelineID, tail: WalScanner.Tail) {
        self.descriptor = descriptor
        self.timeline = timeline
        self.tail = tail
    }

    func take(
        _ bytes: RawSpan, at first: UInt64, _ found: (HistoryEntry) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        if scanner == nil {
            scanner = try WalScanner(
                startAt: first, segmentBytes: descriptor.segmentBytes,
                systemIdentifier: UInt64(descriptor.identity), timeline: timeline.postgresNumber,
                tail: tail)
        }
        try scanner?.feed(bytes, at: first, found)
    }
}
