package import Model

/// Restores of Redis: a base RDB and the stream behind it become append-only files.
package final class RedisReplayer: Replayer {
    package init() {}

    package var kind: DatabaseKind { .redis }

    package func style(segmentBytes: UInt64) -> any PositionStyle { OffsetPositionStyle() }

    /// A Redis server asks for no files; of ours there are the documents of the timelines.
    package func request(_ name: String, segmentBytes: UInt64) -> StreamRequest? {
        HistoryDocument.timeline(of: name).map { .document(timeline: $0, name: name) }
    }

    package var hasPointsInStream: Bool { false }

    package func ancestors(
        of timeline: TimelineID, _ documents: [String: [UInt8]]
    ) throws(TidemarkError) -> [Ancestor] {
        guard let content = documents[HistoryDocument.name(timeline)] else { return [] }
        return try HistoryDocument(parsing: content).ancestors.map {
            Ancestor(timeline: $0.timeline, end: $0.ordinal)
        }
    }

    package func search(
        _ question: StopQuestion, of descriptor: SourceDescriptor, on timeline: TimelineID
    ) -> any StopSearch {
        OffsetStopSearch(question)
    }

    package func scan(of descriptor: SourceDescriptor, on timeline: TimelineID) -> any HistoryScan {
        TimelessScan()
    }

    package func events(
        of descriptor: SourceDescriptor, on timeline: TimelineID
    ) -> (any EventScan)? { CommandEventScan(timeline) }

    package func export(_ order: StreamExportOrder) -> (any StreamExport)? {
        ExportedCommands(order)
    }

    package func state(of server: ServerFacts) -> String {
        server.settings["repl-stream-db"] ?? ""
    }

    package func restoration(_ order: RestoreOrder) throws(TidemarkError) -> any Restoration {
        if let server = order.server { return try ServedData(order, server: server) }
        return try RestoredData(order)
    }

    package func identify(_ segment: RawSpan) throws(TidemarkError) -> SegmentIdentity {
        throw TidemarkError(
            .failed, "Redis hands over no segments",
            remedy: "`tidemark wal push` is for Postgres's archive_command")
    }
}
