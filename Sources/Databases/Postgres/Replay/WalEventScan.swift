import Model

/// Finds commits that removed relation files, the one trace that WAL keeps of much being taken away
/// at once.
///
/// WAL has no statements. A commit names the files that go with it (xact.h,
/// `xl_xact_relfilelocators`): those of dropped tables and indexes, and the old ones of what was
/// truncated or written anew, so VACUUM FULL, CLUSTER, REINDEX and REFRESH leave the same trace.
/// Temporary tables leave none, nor does a large DELETE, nor DROP DATABASE.
final class WalEventScan: EventScan {
    /// WAL segments end at a number of bytes, in the middle of a record as a rule.
    let crossesSegments = true
    private let descriptor: SourceDescriptor
    private let timeline: TimelineID
    private var scanner: WalScanner?

    init(_ descriptor: SourceDescriptor, _ timeline: TimelineID) {
        self.descriptor = descriptor
        self.timeline = timeline
    }

    /// Commits carry their times.
    func index(_ entries: [TimeIndexEntry], state: String?) {}

    func take(
        _ bytes: RawSpan, at first: UInt64,
        _ found: (DestructiveEvent) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        var scanner = try standing(at: first)
        defer { self.scanner = scanner }
        var offset = 0
        while offset < bytes.byteCount {
            var entry: HistoryEntry?
            let rest = bytes.extracting(offset..<bytes.byteCount)
            offset += try scanner.scan(rest, at: first + UInt64(offset), beyond: .max) {
                entry = $0
                return true
            }
            let files = scanner.parser.removedFiles
            guard let entry, case .commit(let transaction) = entry.event, files > 0 else {
                continue
            }
            try found(
                DestructiveEvent(
                    before: Position(timeline: timeline, ordinal: entry.first),
                    action: "DROP, TRUNCATE or rewrite (\(files) \(files == 1 ? "file" : "files"))",
                    place: "transaction \(transaction)", time: entry.time))
        }
    }

    /// Bytes that do not follow the last ones begin anew, at a page.
    private func standing(at first: UInt64) throws(TidemarkError) -> WalScanner {
        if let scanner, scanner.position == first { return scanner }
        return try WalScanner(
            startAt: first, segmentBytes: descriptor.segmentBytes,
            systemIdentifier: UInt64(descriptor.identity), timeline: timeline.postgresNumber,
            tail: .mayFollow)
    }
}
