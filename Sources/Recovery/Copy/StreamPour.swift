import Catalog
import Model
import Repository
import Segments

/// Pours a stretch of the archived stream: in order, and only what lies on one line of descent.
struct StreamPour {
    let repository: ArchiveRepository
    let source: SourceID
    let style: any PositionStyle
    let path: TimelinePath
    let chain: Chain
    /// Nothing at or behind this position is wanted.
    let end: UInt64

    /// What lies behind a base backup, for a copy whose server does not fetch it by itself.
    init(_ repository: ArchiveRepository, _ plan: RestorePlan, _ replayer: any Replayer) {
        self.init(
            repository: repository, source: plan.descriptor.source,
            style: replayer.style(segmentBytes: plan.descriptor.segmentBytes), path: plan.path,
            chain: plan.chain, end: plan.stop?.end ?? .max)
    }

    init(
        repository: ArchiveRepository, source: SourceID, style: any PositionStyle,
        path: TimelinePath, chain: Chain, end: UInt64
    ) {
        self.repository = repository
        self.source = source
        self.style = style
        self.path = path
        self.chain = chain
        self.end = end
    }

    func run(into copy: any Restoration) throws(TidemarkError) {
        try run { (entries, _) in
            copy.index(entries)
        } take: { (bytes, first) throws(TidemarkError) in
            try copy.stream(bytes, at: first)
        }
    }

    /// - Parameters:
    ///   - index: hears of each segment before its bytes: its index, and the state at its start.
    ///   - take: the bytes and the position of their first.
    func run(
        index: ([TimeIndexEntry], String?) -> Void,
        take: (RawSpan, UInt64) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        for segment in chain.segments { try pour(segment, index, take) }
    }

    private func pour(
        _ segment: SegmentListing, _ index: ([TimeIndexEntry], String?) -> Void,
        _ take: (RawSpan, UInt64) throws(TidemarkError) -> Void
    ) throws(TidemarkError) {
        guard let section = path.section(of: segment.range.timeline) else { return }
        let end = min(section.end, end)
        let reader = try open(segment)
        defer { reader.close() }
        let (entries, state) = try facts(segment, reader)
        index(entries, state)
        var position = segment.range.first
        while position < end {
            let more = try reader.read { (bytes) throws(TidemarkError) in
                // Where positions do not count bytes, the room finds the end by itself.
                let wanted =
                    style.countsBytes
                    ? Int(min(UInt64(bytes.byteCount), end - position)) : bytes.byteCount
                try take(bytes.extracting(0..<wanted), position)
                position = style.advanced(position, by: bytes.byteCount)
            }
            if !more { return }
        }
    }

    private func facts(
        _ segment: SegmentListing, _ reader: SegmentReader
    ) throws(TidemarkError) -> ([TimeIndexEntry], String?) {
        if let descriptor = reader.descriptor { return (descriptor.index, descriptor.state) }
        do {
            let survey = try SegmentReader.survey(
                repository.store, reader.key, first: segment.range.first,
                bytes: segment.range.length)
            return (survey.index.stretches, survey.state)
        } catch let error where error.code == .notFound {
            let sealed = try open(segment)
            defer { sealed.close() }
            return (sealed.descriptor?.index ?? [], sealed.descriptor?.state)
        }
    }

    /// An open segment may have been sealed since the plan was made.
    private func open(_ segment: SegmentListing) throws(TidemarkError) -> SegmentReader {
        do {
            return try SegmentReader(repository.store, segment.key)
        } catch let error where error.code == .notFound {
            let now = try repository.stream(source, style)
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
