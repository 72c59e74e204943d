import Model

/// Finds the commits and restore points of WAL files that were not streamed by us.
final class WalHistoryScan: HistoryScan {
    private let descriptor: SourceDescriptor
    private let timeline: TimelineID
    /// Nil before the first bytes.
    private var scanner: WalScanner?

    init(_ descriptor: SourceDescriptor, _ timeline: TimelineID) {
        self.descriptor = descriptor
        self.timeline = timeline
    }

    func take(
        _ bytes: RawSpan, at first: UInt64, _ found: (HistoryEntry) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        if scanner == nil {
            scanner = try WalScanner(
                startAt: first, segmentBytes: descriptor.segmentBytes,
                systemIdentifier: UInt64(descriptor.identity), timeline: timeline.postgresNumber,
                tail: .mayFollow)
        }
        try scanner?.feed(bytes, at: first, found)
    }
}
