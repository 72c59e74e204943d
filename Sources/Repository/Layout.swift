package import Model
import Platform

/// Every name in the archive, and nothing else; the contract is DESIGN's "archive on disk".
///
/// ```
/// tidemark.json                                  format version, archive id, created
/// <source>/source.json                           identity
/// <source>/<folder>/<timeline>/<segment>.lz4     sealed segments; NNNNNNNN.history.lz4 beside them
/// <source>/<folder>/<timeline>/<segment>.partial the open segment
/// <source>/base/<backup id>/manifest.json        written last; data beside it
/// <source>/base/running.json                     the lease of whoever takes a base backup now
/// <source>/sidecar.json                          the lease of whoever archives the stream
/// <source>/history/<YYYY-MM-DD>.csv              exposure and throughput by the minute
/// <source>/points/<name>.json  <source>/gaps/<first>-<last>.json  <source>/watermark.json
/// <source>/pushed.json                           how far archive_command has come
/// <source>/rto.json                              how long the last restores took
/// <source>/alerts.json                           alerts that have been raised and told
/// <source>/events.json                           what destructive events the history holds
/// ```
package enum Layout {
    package static let marker = ObjectKey("tidemark.json")
    package static let partialSuffix = ".partial"
    package static let manifestName = "manifest.json"

    package static func descriptor(_ source: SourceID) -> ObjectKey {
        ObjectKey("\(source)/source.json")
    }

    package static func watermark(_ source: SourceID) -> ObjectKey {
        ObjectKey("\(source)/watermark.json")
    }

    /// How far `wal push` has come.
    package static func pushed(_ source: SourceID) -> ObjectKey {
        ObjectKey("\(source)/pushed.json")
    }

    /// How long the last restores took.
    package static func restoreMeasurement(_ source: SourceID) -> ObjectKey {
        ObjectKey("\(source)/rto.json")
    }

    /// What destructive events the history holds.
    package static func events(_ source: SourceID) -> ObjectKey {
        ObjectKey("\(source)/events.json")
    }

    /// Alerts that have been raised and told.
    package static func alerts(_ source: SourceID) -> ObjectKey {
        ObjectKey("\(source)/alerts.json")
    }

    /// Everything of one timeline: segments and attached documents.
    package static func timelineFolder(
        _ source: SourceID, _ style: any PositionStyle, _ timeline: TimelineID
    ) -> String { "\(source)/\(style.folder)/\(timeline)/" }

    /// All timelines of a source.
    package static func streamFolder(_ source: SourceID, _ style: any PositionStyle) -> String {
        "\(source)/\(style.folder)/"
    }

    /// A segment's key without compression suffix or `.partial`.
    package static func segment(
        _ source: SourceID, _ style: any PositionStyle, _ range: PositionRange
    ) -> ObjectKey {
        ObjectKey(
            timelineFolder(source, style, range.timeline) + style.segmentName(range))
    }

    /// A document that belongs to a timeline, without compression suffix (`00000002.history`).
    package static func document(
        _ source: SourceID, _ style: any PositionStyle, _ timeline: TimelineID, _ name: String
    ) -> ObjectKey {
        ObjectKey(timelineFolder(source, style, timeline) + name)
    }

    package static func backups(_ source: SourceID) -> String { "\(source)/base/" }

    package static func backup(_ source: SourceID, _ id: String) -> ObjectKey {
        ObjectKey("\(source)/base/\(id)")
    }

    package static func manifest(_ source: SourceID, _ id: String) -> ObjectKey {
        backup(source, id) / manifestName
    }

    /// Held by the process that takes a base backup of the source.
    package static func backupLease(_ source: SourceID) -> ObjectKey {
        ObjectKey(backups(source) + "running.json")
    }

    /// Held by the process that archives the source's stream.
    package static func streamLease(_ source: SourceID) -> ObjectKey {
        ObjectKey("\(source)/sidecar.json")
    }

    /// Where a watermark that cannot be read is set aside.
    static func damagedWatermark(_ source: SourceID, _ now: CommitTime) -> ObjectKey {
        let time = now.text(fractionDigits: 0).filter { $0 != "-" && $0 != ":" }
        return ObjectKey("\(watermark(source)).damaged-\(time)")
    }

    /// Exposure and throughput, a file for each day.
    package static func history(_ source: SourceID) -> String { "\(source)/history/" }

    package static func history(_ source: SourceID, day: Int64) -> ObjectKey {
        let time = CommitTime(microseconds: day * 86_400_000_000)
        return ObjectKey(history(source) + time.text(fractionDigits: 0).prefix(10) + ".csv")
    }

    /// The day whose file this is; nil for everything else.
    package static func historyDay(_ key: ObjectKey) -> Int64? {
        guard key.name.utf8.count == 14, key.name.hasSuffix(".csv"),
            let time = CommitTime(key.name.prefix(10) + "T00:00:00Z")
        else { return nil }
        return HistoryPoint.day(of: HistoryPoint.minute(of: time))
    }

    /// Whether it is one of those files, or what was set aside of one.
    static func isHistory(_ key: ObjectKey) -> Bool {
        historyDay(ObjectKey(String(key.name.prefix(14)))) != nil
    }

    package static func points(_ source: SourceID) -> String { "\(source)/points/" }

    package static func point(_ source: SourceID, _ name: String) -> ObjectKey {
        ObjectKey("\(source)/points/\(escaped(name)).json")
    }

    package static func gaps(_ source: SourceID) -> String { "\(source)/gaps/" }

    package static func gap(
        _ source: SourceID, _ style: any PositionStyle, _ gap: Gap, timeline: TimelineID? = nil
    ) -> ObjectKey {
        let range = "\(style.fileText(gap.first))-\(style.fileText(gap.last))"
        let suffix = timeline.map { "-" + escaped($0.name) } ?? ""
        return ObjectKey("\(source)/gaps/\(range)\(suffix).json")
    }

    /// File-name form of a user's name: everything but letters, digits, `.`, `_`, `-` as `%XX`; a
    /// leading point is escaped too, so that no name is hidden or climbs.
    package static func escaped(_ name: String) -> String {
        PercentText.encoded(name) {
            PercentText.isPlain($1) && !($0 == 0 && $1 == UInt8(ascii: "."))
        }
    }
}
