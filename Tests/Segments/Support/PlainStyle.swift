import Model

/// Positions as decimal numbers. A segment's name is its first position; with `-<last>` behind it
/// for a source whose segments have no fixed size.
struct PlainStyle: PositionStyle {
    /// Nil: segments of any size.
    var segmentBytes: UInt64?

    var folder: String { "wal" }
    var scheme: String { "lsn" }
    func text(_ ordinal: UInt64) -> String { "at \(ordinal)" }
    func parse(_ text: String) -> UInt64? { UInt64(text.dropFirst(3)) }

    func segmentName(_ range: PositionRange) -> String {
        let first = fileText(range.first)
        return segmentBytes == nil ? first + "-" + fileText(range.last) : first
    }

    func parseSegmentName(_ name: String, timeline: TimelineID) -> PositionRange? {
        let parts = name.split(separator: "-").map { UInt64($0) }
        guard let first = parts.first ?? nil else { return nil }
        if let segmentBytes, parts.count == 1 {
            return PositionRange(timeline: timeline, first: first, last: first + segmentBytes)
        }
        guard segmentBytes == nil, parts.count == 2, let last = parts[1] else { return nil }
        return PositionRange(timeline: timeline, first: first, last: last)
    }
}
