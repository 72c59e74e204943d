import Catalog
import Model
import Repository
import Segments

/// Streams whose segments are the database's own files: they go out whole, with the documents of
/// the timelines they lie on.
extension Export {
    func copySegments(
        _ plan: ExportPlan, into folder: ExportFolder
    ) throws(TidemarkError) {
        let snapshot = plan.planner.snapshot
        for segment in plan.chain.segments { try copy(segment, snapshot.style, into: folder) }
        let listing = try repository.stream(snapshot.source, snapshot.style)
        for section in plan.planner.path.sections where section.first < plan.last {
            let documents = listing.documents[section.timeline] ?? [:]
            for (name, key) in documents.sorted(by: { $0.key < $1.key }) {
                let file = try folder.create(name)
                let content = try TimelineReader(repository, replayer).content(key)
                try file.append(unsafe content.span.bytes)
                try folder.finish(file)
            }
        }
    }

    /// An unfinished one gets the suffix that Postgres itself uses, and the length of a whole one.
    private func copy(
        _ segment: SegmentListing, _ style: any PositionStyle, into folder: ExportFolder
    ) throws(TidemarkError) {
        let reader = try SegmentReader(repository.store, segment.key)
        defer { reader.close() }
        let isWhole = segment.state == .sealed
        let file = try folder.create(
            style.segmentName(segment.range) + (isWhole ? "" : Layout.partialSuffix))
        while try reader.read({ (bytes) throws(TidemarkError) in try file.append(bytes) }) {}
        guard isWhole ? file.size == segment.range.length : file.size <= segment.range.length
        else {
            throw TidemarkError(
                .archiveDamaged,
                "\(segment.key) holds \(file.size) bytes, not \(segment.range.length)",
                remedy: "bring it back from a copy of the archive")
        }
        try file.cut(to: segment.range.length)
        try folder.finish(file)
    }
}
