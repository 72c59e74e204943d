import Model

/// What a server's change streams can do, by its version.
struct ChangeFeatures: Hashable, Sendable {
    /// `create`, `createIndexes`, `dropIndexes`, `modify`, UUIDs and exact paths: from 6.0 on.
    var hasExpandedEvents: Bool
    /// `$changeStreamSplitLargeEvent`: from 6.0.9 and 7.0 on.
    var splitsLargeEvents: Bool
    /// `startAfter` and tokens behind each batch: from 4.2 on.
    var canBeArchived: Bool

    init(version: String) {
        let parts = version.split { !$0.isNumber }.prefix(3).compactMap { Int($0) }
        let number = (parts + [0, 0, 0]).prefix(3).reduce(0) { $0 * 1000 + $1 }
        canBeArchived = number >= 4_002_000
        hasExpandedEvents = number >= 6_000_000
        splitsLargeEvents = number >= 6_000_009 && !(6_001_000..<7_000_000).contains(number)
    }
}
