import Catalog
package import Model
package import Repository
import Segments

/// Lists what took much away at once, read from the archived stream. Blocking.
package struct EventFinder {
    let repository: ArchiveRepository
    let replayer: any Replayer

    /// More would not be read by anybody.
    package static let limit = 10_000
    /// Seconds on either side of a moment that count as around it.
    private static let aroundSeconds = 3600.0

    package init(_ repository: ArchiveRepository, _ replayer: any Replayer) {
        self.repository = repository
        self.replayer = replayer
    }

    /// Events of a source, oldest first within each timeline.
    ///
    /// - Parameter moment: only those within an hour of it; nil for all.
    package func find(
        _ source: SourceID, around moment: CommitTime?
    ) throws(TidemarkError) -> [DestructiveEvent] {
        let snapshot = try CatalogReader(repository, replayer).read(source)
        var found: [DestructiveEvent] = []
        for timeline in snapshot.timelines {
            guard let scan = replayer.events(of: snapshot.descriptor, on: timeline) else {
                throw TidemarkError(
                    .usage, "this version of tidemark finds no events of a \(replayer.kind)",
                    remedy: "give a time or a position instead")
            }
            for segment in snapshot.segments[timeline] ?? [] {
                try look(at: segment, scan, snapshot.style, around: moment) {
                    (event) throws(TidemarkError) in
                    guard found.count < Self.limit else {
                        throw TidemarkError(
                            .failed, "more than \(Self.limit) events",
                            remedy: "name a moment: --around 2026-11-22T12:00:00Z")
                    }
                    found.append(event)
                }
            }
        }
        return found
    }

    /// The events that end in one segment, oldest first, of very many the newest; nil where this
    /// version finds none in such a stream. Throws `notFound` when an open segment was sealed
    /// meanwhile.
    ///
    /// - Parameter lead: the segment before it, in which what ends in this one may have begun; nil
    ///   where there is none. One that cannot be read hides what reaches over the edge and no more.
    package func events(
        in segment: SegmentListing, after lead: SegmentListing?, of descriptor: SourceDescriptor
    ) throws(TidemarkError) -> [DestructiveEvent]? {
        guard var scan = replayer.events(of: descriptor, on: segment.range.timeline) else {
            return nil
        }
        var found: [DestructiveEvent] = []
        let style = replayer.style(segmentBytes: descriptor.segmentBytes)
        if let lead, scan.crossesSegments {
            do throws(TidemarkError) {
                try look(at: lead, scan, style, around: nil) { _ in }
            } catch let error where [.notFound, .archiveDamaged].contains(error.code) {
                scan = replayer.events(of: descriptor, on: segment.range.timeline) ?? scan
            }
        }
        try look(at: segment, scan, style, around: nil) { (event) throws(TidemarkError) in
            if found.count >= 2 * EventRecord.limit { found.removeFirst(EventRecord.limit) }
            found.append(event)
        }
        return found
    }

    func look(
        at segment: SegmentListing, _ scan: any EventScan, _ style: any PositionStyle,
        around moment: CommitTime?, _ found: (DestructiveEvent) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        let reader = try SegmentReader(repository.store, segment.key)
        defer { reader.close() }
        let (index, state) = try facts(segment, reader)
        if let moment, !Self.isNear(index, moment) { return }
        scan.index(index, state: state)
        var position = segment.range.first
        var more = true
        while more {
            more = try reader.read { (bytes) throws(TidemarkError) in
                try scan.take(bytes, at: position) { (event) throws(TidemarkError) in
                    if let moment, let time = event.time, !Self.isNear(time, moment) { return }
                    try found(event)
                }
                position = style.advanced(position, by: bytes.byteCount)
            }
        }
    }

    private func facts(
        _ segment: SegmentListing, _ reader: SegmentReader
    ) throws(TidemarkError) -> ([TimeIndexEntry], String?) {
        if let descriptor = reader.descriptor { return (descriptor.index, descriptor.state) }
        let survey = try SegmentReader.survey(
            repository.store, segment.key, first: segment.range.first, bytes: segment.range.length)
        return (survey.index.stretches, survey.state)
    }

    private static func isNear(_ index: [TimeIndexEntry], _ moment: CommitTime) -> Bool {
        index.contains {
            $0.earliest <= moment.advanced(bySeconds: aroundSeconds)
                && $0.latest >= moment.advanced(bySeconds: -aroundSeconds)
        }
    }

    private static func isNear(_ time: CommitTime, _ moment: CommitTime) -> Bool {
        abs(time.seconds(since: moment)) <= aroundSeconds
    }
}
