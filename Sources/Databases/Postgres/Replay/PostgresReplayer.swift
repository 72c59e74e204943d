package import Model

/// Restores of Postgres: base backups become data directories, WAL is fetched by the server itself.
package final class PostgresReplayer: Replayer {
    package init() {}

    package var kind: DatabaseKind { .postgres }

    package var dataDirectoryMarks: [String] { ["PG_VERSION"] }

    package func style(segmentBytes: UInt64) -> any PositionStyle {
        WalPositionStyle(segmentBytes: segmentBytes)
    }

    package func request(_ name: String, segmentBytes: UInt64) -> StreamRequest? {
        guard let size = WalSegmentSize(bytes: segmentBytes) else { return nil }
        switch WalFileName(name, size: size) {
        case .segment(let timeline, let number):
            return Self.range(timeline, number, size).map { .segment($0) }
        case .partial(let timeline, let number):
            return Self.range(timeline, number, size).map { .unfinished($0) }
        case .history(let timeline):
            return .document(timeline: TimelineID(postgres: timeline), name: name)
        case nil:
            // `<segment>.<offset>.backup`, a label that archive_command is handed too.
            let isLabel = name.count == 40 && name.hasSuffix(".backup")
            return isLabel && WalFileName(String(name.prefix(24)), size: size) != nil ? .label : nil
        }
    }

    /// Nil for the last number of all, behind which no position can lie.
    private static func range(
        _ timeline: UInt32, _ number: UInt64, _ size: WalSegmentSize
    ) -> PositionRange? {
        let (first, overflow) = number.multipliedReportingOverflow(by: size.bytes)
        let (last, overrun) = first.addingReportingOverflow(size.bytes)
        guard !overflow, !overrun else { return nil }
        return PositionRange(timeline: TimelineID(postgres: timeline), first: first, last: last)
    }

    package func ancestors(
        of timeline: TimelineID, _ documents: [String: [UInt8]]
    ) throws(TidemarkError) -> [Ancestor] {
        guard let number = timeline.postgresNumber else { return [] }
        let name = WalFileName.history(timeline: number).text(size: .standard)
        guard let content = documents[name] else { return [] }
        let history = try TimelineHistory(timeline: number, content: content)
        return history.ancestors.map {
            Ancestor(timeline: TimelineID(postgres: $0.timeline), end: $0.switchPoint)
        }
    }

    package func search(
        _ question: StopQuestion, of descriptor: SourceDescriptor, on timeline: TimelineID
    ) -> any StopSearch {
        WalStopSearch(question, of: descriptor, on: timeline)
    }

    package func scan(
        of descriptor: SourceDescriptor, on timeline: TimelineID
    ) -> any HistoryScan {
        WalHistoryScan(descriptor, timeline, tail: .mayFollow)
    }

    /// A scan that refuses whatever the server of this archive cannot have written in a row: every
    /// byte must be WAL. Nil for servers newer than what this version reads.
    package func continuity(
        of descriptor: SourceDescriptor, on timeline: TimelineID
    ) -> (any HistoryScan)? {
        guard let major = Int(descriptor.majorVersion), major <= ServerVersion.newestMajor else {
            return nil
        }
        return WalHistoryScan(descriptor, timeline, tail: .isDamage)
    }

    package func events(
        of descriptor: SourceDescriptor, on timeline: TimelineID
    ) -> (any EventScan)? { WalEventScan(descriptor, timeline) }

    package func identify(_ segment: RawSpan) throws(TidemarkError) -> SegmentIdentity {
        guard segment.byteCount >= WalPageHeader.longBytes else {
            throw TidemarkError(.failed, "the file is too short for a WAL segment")
        }
        let page = WalPageHeader(segment, long: true)
        guard let version = WalVersion(magic: page.magic),
            page.flags & WalPageHeader.isLong != 0, page.pageBytes == WalPageHeader.pageBytes
        else {
            throw TidemarkError(
                .failed, "the file does not begin like a WAL segment of Postgres 13 to 18",
                remedy: "archive_command must pass %p, the path of the segment")
        }
        return SegmentIdentity(
            identity: String(page.systemIdentifier), majorVersion: String(version.rawValue),
            segmentBytes: UInt64(page.segmentBytes), first: page.address)
    }

    package func restoration(_ order: RestoreOrder) throws(TidemarkError) -> any Restoration {
        try RestoredCluster(order)
    }
}
