package import Model

/// Names segments `<timeline>-<number>`, a hundred positions each.
package struct HundredStyle: PositionStyle {
    package init() {}
    package let folder = "wal"
    package let scheme = "lsn"
    package func text(_ ordinal: UInt64) -> String { String(ordinal) }
    package func parse(_ text: String) -> UInt64? { UInt64(text) }
    package func segmentName(_ range: PositionRange) -> String {
        "\(range.timeline)-\(range.first / 100)"
    }
    package func parseSegmentName(_ name: String, timeline: TimelineID) -> PositionRange? {
        let parts = name.split(separator: "-")
        guard parts.count == 2, parts[0] == timeline.name, let number = UInt64(parts[1]) else {
            return nil
        }
        return PositionRange(timeline: timeline, first: number * 100, last: number * 100 + 100)
    }
}
