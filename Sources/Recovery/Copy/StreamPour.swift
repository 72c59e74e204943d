import Catalog
import Model
import Repository
import Segments

/// Pours the archived stream behind a base backup into a copy whose server does not fetch it by
/// itself: in order, and only what lies on the way to the target.
struct StreamPour {
    private let repository: ArchiveRepository
    private let plan: RestorePlan
    private let style: any PositionStyle

    init(_ repository: ArchiveRepository, _ plan: RestorePlan, _ replayer: any Replayer) {
        self.repository = repository
        self.plan = plan
        style = replayer.style(segmentBytes: plan.descriptor.segmentBytes)
    }

    func run(into copy: any Restoration) throws(TidemarkError) {
        for segment in plan.chain.segments { try pour(segment, into: copy) }
    }

    private func pour(
        _ segment: SegmentListing, into copy: any Restoration
    ) throws(TidemarkError) {
        guard let section = plan.path.section(of: segment.range.timeline) else { return }
        let end = min(section.end, plan.stop?.end ?? .max)
        let reader = try open(segment)
        defer { reader.close() }
        copy.index(try index(segment, reader))
        var position = segment.range.first
        while position < end {
            let more = try reader.read { (bytes) throws(TidemarkError) in
                // Where positions do not count bytes, the room finds the end by itself.
                let wanted =
                    style.countsBytes
                    ? Int(min(UInt64(bytes.byteCount), end - position)) : bytes.byteCount
                try copy.stream(bytes.extracting(0..<wanted), at: position)
                position = style.advanced(position, by: bytes.byteCount)
            }
            if !more { return }
        }
    }

    private func index(
        _ segment: SegmentListing, _ reader: SegmentReader
    ) throws(TidemarkError) -> [TimeIndexEntry] {
        if let descriptor = reader.descriptor { return descriptor.index }
        do {
            return try SegmentReader.survey(
                repository.store, reader.key, first: segment.range.first,
                bytes: segment.range.length
            ).index.stretches
        } catch let error where error.code == .notFound {
            let sealed = try open(segment)
            defer { sealed.close() }
            return sealed.descriptor?.index ?? []
        }
    }

    /// An open segment may have been sealed since the plan was made.
    private func open(_ segment: SegmentListing) throws(TidemarkError) -> SegmentReader {
        do {
            return try SegmentReader(repository.store, segment.key)
        } catch let error where error.code == .notFound {
            let now = try repository.stream(plan.descriptor.source, style)
            let sealed = (now.segments[segment.range.timeline] ?? []).first {
                $0.range.first == segment.range.first && $0.key != segment.key
            }
            guard segment.state == .open, let sealed else {
                throw TidemarkError(
                    .archiveIncomplete, "\(segment.key) is missing from the archive",
                    remedy: "bring it back from a copy of the archive", cause: error)
            }
            return try SegmentReader(repository.store, sealed.key)
        }
    }
}
