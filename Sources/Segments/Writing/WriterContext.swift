import Model
import Platform

/// What every part of a segment writer shares; immutable.
struct WriterContext: Sendable {
    var source: SourceID
    var kind: DatabaseKind
    var style: any PositionStyle
    var store: any ObjectStore
    var appending: any AppendingStore
    /// Key of a segment without suffix.
    var key: @Sendable (PositionRange) -> ObjectKey
    var options: SegmentWriterOptions
    var time: any TimeSource

    static let partialSuffix = ".partial"

    /// The segment that starts at `first`, as far as its name is known while it is open.
    func openRange(_ timeline: TimelineID, _ first: UInt64) -> PositionRange {
        PositionRange(
            timeline: timeline, first: first, last: options.rotation.end(from: first) ?? first)
    }

    func partialKey(_ range: PositionRange) -> ObjectKey {
        ObjectKey(key(range).path + Self.partialSuffix)
    }

    func sealedKey(_ range: PositionRange, _ compression: Compression) -> ObjectKey {
        ObjectKey(key(range).path + compression.suffix)
    }

    func emptyIndex(from first: UInt64) -> SegmentIndex {
        switch options.rotation {
        case .aligned(let bytes): SegmentIndex(first: first, bytes: bytes)
        case .size: SegmentIndex(first: first)
        }
    }

    /// Opens an open segment, or creates it.
    ///
    /// - Parameter isJudged: Whether damage is told from a torn end, copied and reported: at the
    ///   first look, and not where a sealed twin is the one that counts.
    func openFile(
        _ range: PositionRange, hashing: Bool, isJudged: Bool = false
    ) throws(TidemarkError) -> (file: OpenSegmentFile, survey: SegmentSurvey) {
        try OpenSegmentFile.open(
            appending, partialKey(range), options.compression,
            index: emptyIndex(from: range.first), hashing: hashing, failpoint: options.failpoint
        ) { (file, survey) throws(TidemarkError) in
            if isJudged { try DamageCheck(self, range).run(file, survey) }
        }
    }
}
