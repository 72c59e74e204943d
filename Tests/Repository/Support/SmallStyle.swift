import Model

/// Positions in decimal, segments of 64 KiB named for their first position.
struct SmallStyle: PositionStyle {
    static let segmentBytes: UInt64 = 64 << 10

    var folder: String { "wal" }
    var scheme: String { "lsn" }
    func text(_ ordinal: UInt64) -> String { "@\(ordinal)" }
    func parse(_ text: String) -> UInt64? {
        text.hasPrefix("@") ? UInt64(text.dropFirst()) : nil
    }
    func segmentName(_ range: PositionRange) -> String { fileText(range.first) }
    func parseSegmentName(_ name: String, timeline: TimelineID) -> PositionRange? {
        guard name.utf8.count == 20, let first = UInt64(name),
            first.isMultiple(of: Self.segmentBytes)
        else { return nil }
        return PositionRange(timeline: timeline, first: first, last: first + Self.segmentBytes)
    }
}
