package import Model

/// How Postgres positions and segments are written; segment names depend on the segment size.
package struct WalPositionStyle: PositionStyle {
    package let size: WalSegmentSize

    /// - Precondition: a size a server can have; `source.json` is checked when it is read.
    package init(segmentBytes: UInt64) {
        guard let size = WalSegmentSize(bytes: segmentBytes) else {
            preconditionFailure("\(segmentBytes) is not a WAL segment size")
        }
        self.size = size
    }

    package var folder: String { "wal" }
    package var scheme: String { "lsn" }
    package func text(_ ordinal: UInt64) -> String { LSN.text(ordinal) }
    package func parse(_ text: String) -> UInt64? { LSN.parse(text) }

    /// The name of the segment that `range` starts.
    ///
    /// - Precondition: the range starts on a segment's start and does not leave that segment, and
    ///   its timeline is a number.
    package func segmentName(_ range: PositionRange) -> String {
        guard let timeline = range.timeline.postgresNumber else {
            preconditionFailure("\(range.timeline) is not a Postgres timeline")
        }
        precondition(
            size.isAligned(range.first) && range.length <= size.bytes,
            "a WAL segment starts on its boundary: \(LSN.text(range.first))")
        return WalFileName(timeline: timeline, holding: range.first, size: size).text(size: size)
    }

    /// Nil also when the name's timeline is not the folder's.
    package func parseSegmentName(_ name: String, timeline: TimelineID) -> PositionRange? {
        guard case .segment(let named, let number)? = WalFileName(name, size: size),
            timeline.postgresNumber == named
        else { return nil }
        let (first, overflow) = number.multipliedReportingOverflow(by: size.bytes)
        let (last, overflowsToo) = first.addingReportingOverflow(size.bytes)
        guard !overflow, !overflowsToo else { return nil }
        return PositionRange(timeline: timeline, first: first, last: last)
    }
}
