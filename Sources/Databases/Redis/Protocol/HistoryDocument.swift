package import Model

/// `<replication id>.history`: the histories that one descends from, oldest first.
///
/// One a line: replication id, a tab, and the number of bytes after which it was left. Made by us,
/// since Redis itself remembers only the last one (`master_replid2`).
package struct HistoryDocument: Hashable, Sendable {
    package var ancestors: [Position]

    /// - Parameter ancestors: each with the position where it was left.
    package init(ancestors: [Position]) { self.ancestors = ancestors }

    package static func name(_ timeline: TimelineID) -> String { timeline.name + suffix }

    /// The timeline whose document has this name; nil for other files.
    package static func timeline(of name: String) -> TimelineID? {
        guard name.hasSuffix(suffix) else { return nil }
        let id = name.dropLast(suffix.count)
        return id.isEmpty ? nil : TimelineID(String(id))
    }

    private static let suffix = ".history"

    /// The document of a timeline that leaves `parent`, whose own document is `older`, if it has
    /// one.
    package init(leaving parent: Position, older: [UInt8]?) throws(TidemarkError) {
        ancestors =
            try older.map { (bytes) throws(TidemarkError) in
                try HistoryDocument(parsing: bytes).ancestors
            } ?? []
        ancestors.append(parent)
    }

    package init(parsing bytes: [UInt8]) throws(TidemarkError) {
        ancestors = []
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: "\t")
            guard parts.count == 2, let end = UInt64(parts[1]) else {
                throw TidemarkError(
                    .archiveDamaged,
                    "a history document of Redis holds the line \(line.prefix(80))",
                    remedy: "bring the file back from a copy of the archive")
            }
            ancestors.append(Position(timeline: TimelineID(String(parts[0])), ordinal: end))
        }
    }

    package var bytes: [UInt8] {
        Array(ancestors.map { "\($0.timeline)\t\($0.ordinal)\n" }.joined().utf8)
    }
}
