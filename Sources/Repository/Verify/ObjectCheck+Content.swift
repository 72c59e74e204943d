import Model
import Segments

/// Whether the stream's own bytes hang together, within a segment and over its end.
///
/// Checksums tell that a segment is what was written, not that it was written by the server that
/// wrote the one before it.
extension ObjectCheck {
    /// Of the segment behind, so much is read that its first records are in it.
    private static let jointBytes: UInt64 = 64 << 10

    /// Reads a segment to its end; throws what is damaged, and returns what does not fit.
    ///
    /// - Parameter next: the segment that goes on where this one ends, if any.
    func readThrough(
        _ reader: SegmentReader, _ listing: SegmentListing, next: SegmentListing?
    ) throws(TidemarkError) -> VerificationProblem? {
        guard let scan = scan(listing.range.timeline) else {
            try reader.verify()
            return nil
        }
        var position = listing.range.first
        if let broken = try Self.feed(reader, scan, at: &position) {
            return VerificationProblem(broken, listing.key, of: descriptor.source)
        }
        guard let next, next.range.first == position else { return nil }
        return try joint(scan, listing.key, next)
    }

    /// Whether `child`, the first segment of a timeline, goes on where `parent` ends.
    func fork(
        _ parent: SegmentListing, _ child: SegmentListing
    ) throws(TidemarkError) -> VerificationProblem? {
        guard let scan = scan(child.range.timeline) else { return nil }
        do throws(TidemarkError) {
            let reader = try SegmentReader(context.store, parent.key)
            defer { reader.close() }
            var position = parent.range.first
            guard try Self.feed(reader, scan, at: &position) == nil,
                position == child.range.first
            else { return nil }
        } catch let error where error.code == .archiveDamaged || error.code == .notFound {
            // Told by its own check.
            return nil
        }
        return try joint(scan, parent.key, child)
    }

    private func joint(
        _ scan: any HistoryScan, _ before: ObjectKey, _ next: SegmentListing
    ) throws(TidemarkError) -> VerificationProblem? {
        do throws(TidemarkError) {
            let reader = try SegmentReader(context.store, next.key)
            defer { reader.close() }
            var position = next.range.first
            let limit = position + Self.jointBytes
            guard let broken = try Self.feed(reader, scan, at: &position, until: limit) else {
                return nil
            }
            return VerificationProblem(
                source: descriptor.source, key: next.key.path, kind: .damaged,
                what: "\(next.key) does not go on where \(before) ends: \(broken.message)",
                remedy: "another server wrote one of them: bring the right one back from a copy "
                    + "of the archive, or take a new base backup: tidemark backup "
                    + "\(descriptor.source)")
        } catch let error where error.code == .archiveDamaged || error.code == .notFound {
            // Told by its own check.
            return nil
        }
    }

    /// Feeds the scan until it finds fault, which is returned; the reading goes on to `last` all
    /// the same, since it verifies.
    private static func feed(
        _ reader: SegmentReader, _ scan: any HistoryScan, at position: inout UInt64,
        until last: UInt64 = .max
    ) throws(TidemarkError) -> TidemarkError? {
        var broken: TidemarkError?
        var place = position
        var more = true
        while more, place < last {
            more = try reader.read { (bytes) throws(TidemarkError) in
                if broken == nil {
                    do throws(TidemarkError) {
                        try scan.take(bytes, at: place) { (_) in }
                    } catch {
                        broken = error
                    }
                }
                place += UInt64(bytes.byteCount)
            }
        }
        position = place
        return broken
    }
}
