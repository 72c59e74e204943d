package import Model

/// Restores of MongoDB: a base backup and the oplog behind it become a dump or a filled server.
package final class MongoReplayer: Replayer {
    package init() {}

    package var kind: DatabaseKind { .mongodb }

    package var dataDirectoryMarks: [String] { ["WiredTiger"] }

    package var unstartable: String? { RestoredDump.unstartable }

    package func style(segmentBytes: UInt64) -> any PositionStyle { OplogPositionStyle() }

    /// A server asks for no files.
    package func request(_ name: String, segmentBytes: UInt64) -> StreamRequest? { nil }

    /// A timeline that the set has left shares nothing that could be named with the one after it.
    package func ancestors(
        of timeline: TimelineID, _ documents: [String: [UInt8]]
    ) throws(TidemarkError) -> [Ancestor] { [] }

    package var lateDocument: String? { LateEvent.document }

    package func lateLoss(_ document: [UInt8], on timeline: TimelineID) -> LateLoss {
        LateEvent(document, on: timeline).loss
    }

    package func search(
        _ question: StopQuestion, of descriptor: SourceDescriptor, on timeline: TimelineID
    ) -> any StopSearch {
        OplogStopSearch(question, isOfEvents: ChangeTimeline.isOne(timeline))
    }

    /// Notes are not told by change streams.
    package func hasPoints(inStreamOf timeline: TimelineID) -> Bool {
        !ChangeTimeline.isOne(timeline)
    }

    package func scan(of descriptor: SourceDescriptor, on timeline: TimelineID) -> any HistoryScan {
        OplogHistoryScan()
    }

    package func events(
        of descriptor: SourceDescriptor, on timeline: TimelineID
    ) -> (any EventScan)? { OplogEventScan(timeline) }

    package func export(_ order: StreamExportOrder) -> (any StreamExport)? {
        ExportedEntries(order)
    }

    /// What `verify --deep` looks for inside a base backup.
    package static func contentCheck(of backup: BaseBackupDescriptor) -> any BaseBackupCheck {
        GridFSCheck(backup)
    }

    package func omissions(of server: ServerFacts, on timeline: TimelineID) -> [String] {
        ChangeTimeline.isOne(timeline)
            ? ChangeTimeline.omissions(ChangeFeatures(version: server.version)) : []
    }

    package func restoration(_ order: RestoreOrder) throws(TidemarkError) -> any Restoration {
        if let server = order.server { return try FilledServer(order, server: server) }
        return try RestoredDump(order)
    }

    package func identify(_ segment: RawSpan) throws(TidemarkError) -> SegmentIdentity {
        throw TidemarkError(
            .failed, "MongoDB hands over no segments",
            remedy: "`tidemark wal push` is for Postgres's archive_command")
    }
}
