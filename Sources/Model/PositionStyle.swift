/// How one database prints its positions and names its segments; supplied by its room.
package protocol PositionStyle: Sendable {
    /// The folder of segments below the source: `wal`, `oplog`, `stream`.
    var folder: String { get }
    /// The positions' scheme in recovery targets: `lsn`, `optime`, `offset`.
    var scheme: String { get }
    /// The database's own notation: `0/3000148`.
    func text(_ ordinal: UInt64) -> String
    /// As part of a file name; sorts by position. Default: 20 decimal digits, zero-padded.
    func fileText(_ ordinal: UInt64) -> String
    /// Nil when the text is not a position.
    func parse(_ text: String) -> UInt64?
    /// The timeline that a position in a recovery target names (`offset:REPLID:12345`); nil when it
    /// names none. Default: none.
    func timeline(in text: String) -> TimelineID?
    /// Whether a position counts the bytes before it, so that every byte of a segment has one.
    /// Where it does not, only whole segments can be asked for. Default: true.
    var countsBytes: Bool { get }
    /// File name of a segment without suffixes: `000000010000000000000003`.
    func segmentName(_ range: PositionRange) -> String
    /// The range a name claims; nil for other files. `timeline` is the folder it lies in.
    func parseSegmentName(_ name: String, timeline: TimelineID) -> PositionRange?
}

extension PositionStyle {
    package func timeline(in text: String) -> TimelineID? { nil }

    package var countsBytes: Bool { true }

    /// Where a reader is that has read so many bytes from `position` on: there still, where
    /// positions do not count bytes.
    package func advanced(_ position: UInt64, by bytes: Int) -> UInt64 {
        countsBytes ? position + UInt64(bytes) : position
    }

    package func fileText(_ ordinal: UInt64) -> String {
        let digits = String(ordinal)
        return String(repeating: "0", count: 20 - digits.count) + digits
    }
}
