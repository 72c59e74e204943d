package import Model

/// How Redis's positions and segments are written.
///
/// A position is the number of bytes of the history before it, what INFO calls
/// `master_repl_offset`. PSYNC asks for the next byte, so it names a number one higher.
package struct OffsetPositionStyle: PositionStyle {
    private static let suffix = ".resp"

    package init() {}

    package var folder: String { "stream" }
    package var scheme: String { "offset" }
    package func text(_ ordinal: UInt64) -> String { String(ordinal) }

    /// `N`, or `REPLID:N`, of which the number counts.
    package func parse(_ text: String) -> UInt64? {
        let digits = text.split(separator: ":", omittingEmptySubsequences: false).last ?? ""
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
            return nil
        }
        return UInt64(digits)
    }

    package func timeline(in text: String) -> TimelineID? {
        guard let colon = text.lastIndex(of: ":"), colon != text.startIndex else { return nil }
        return TimelineID(String(text[..<colon]))
    }

    /// `00000000000000000014-00000000000000004711.resp`
    package func segmentName(_ range: PositionRange) -> String {
        "\(fileText(range.first))-\(fileText(range.last))\(Self.suffix)"
    }

    package func parseSegmentName(_ name: String, timeline: TimelineID) -> PositionRange? {
        guard name.hasSuffix(Self.suffix) else { return nil }
        let parts = name.dropLast(Self.suffix.count).split(
            separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 20, parts[1].utf8.count == 20,
            let first = parse(String(parts[0])), let last = parse(String(parts[1])), first <= last
        else { return nil }
        return PositionRange(timeline: timeline, first: first, last: last)
    }
}
