import Model

/// The entries of a stretch, behind its first position up to and with its last, as they are.
final class ExportedEntries: StreamExport {
    let name: String
    private let order: StreamExportOrder
    private var entries = ArchivedEntries()
    private var size: UInt64 = 0

    init(_ order: StreamExportOrder) {
        self.order = order
        name = ChangeTimeline.isOne(order.timeline) ? "changes.bson" : "oplog.bson"
    }

    func index(_ entries: [TimeIndexEntry], state: String?) {}

    func take(
        _ bytes: RawSpan, at first: UInt64, _ write: (RawSpan) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        try entries.take(bytes, at: first) { (entry, head) throws(TidemarkError) in
            guard head.ts.ordinal > order.first, head.ts.ordinal <= order.last else { return }
            try unsafe write(entry.bytes)
            size += UInt64(entry.count)
        }
    }

    func finish() throws(TidemarkError) -> UInt64 { size }
}
