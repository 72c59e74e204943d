package import Model

/// How MongoDB's positions and segments are written.
///
/// A position is the optime of the last entry that is part of the history before it: the timestamp
/// T.I as one number. A segment `<first>-<last>` holds the entries behind `first` up to and with
/// `last`.
package struct OplogPositionStyle: PositionStyle {
    private static let suffix = ".bson"

    package init() {}

    package var countsBytes: Bool { false }
    package var folder: String { "oplog" }
    package var scheme: String { "optime" }
    package func text(_ ordinal: UInt64) -> String { OpTime(ordinal: ordinal).description }

    /// `1703678400.0000000001`: ten digits each, so that names sort by position.
    package func fileText(_ ordinal: UInt64) -> String {
        let time = OpTime(ordinal: ordinal)
        return "\(Self.padded(time.seconds)).\(Self.padded(time.increment))"
    }

    private static func padded(_ number: UInt32) -> String {
        let digits = String(number)
        return String(repeating: "0", count: 10 - digits.count) + digits
    }

    package func parse(_ text: String) -> UInt64? { OpTime(text)?.ordinal }

    package func segmentName(_ range: PositionRange) -> String {
        "\(fileText(range.first))-\(fileText(range.last))\(Self.suffix)"
    }

    package func parseSegmentName(_ name: String, timeline: TimelineID) -> PositionRange? {
        guard name.hasSuffix(Self.suffix) else { return nil }
        let parts = name.dropLast(Self.suffix.count).split(
            separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 21 }),
            let first = parse(String(parts[0])), let last = parse(String(parts[1])), first <= last
        else { return nil }
        return PositionRange(timeline: timeline, first: first, last: last)
    }
}
