import Catalog
import Model
import Repository

/// Names segments `<timeline>-<number>`, a hundred positions each.
struct HundredStyle: PositionStyle {
    let folder = "wal"
    let scheme = "lsn"
    func text(_ ordinal: UInt64) -> String { String(ordinal) }
    func parse(_ text: String) -> UInt64? { UInt64(text) }
    func segmentName(_ range: PositionRange) -> String { "\(range.timeline)-\(range.first / 100)" }
    func parseSegmentName(_ name: String, timeline: TimelineID) -> PositionRange? {
        let parts = name.split(separator: "-")
        guard parts.count == 2, parts[0] == timeline.name, let number = UInt64(parts[1]) else {
            return nil
        }
        return PositionRange(timeline: timeline, first: number * 100, last: number * 100 + 100)
    }
}

/// Builds snapshots from a few numbers.
enum Sample {
    static let source = SourceID("ledger")!
    static let one = TimelineID("1")
    static let two = TimelineID("2")

    static func time(_ seconds: Int64) -> CommitTime {
        CommitTime(microseconds: seconds * 1_000_000)
    }

    static func snapshot() -> CatalogSnapshot {
        CatalogSnapshot(
            descriptor: SourceDescriptor(
                source: source, kind: .postgres, identity: "7", majorVersion: "15",
                segmentBytes: 100, created: time(0)),
            style: HundredStyle())
    }

    /// Sealed segments of these numbers; `open` adds an open one whose content ends there.
    static func fill(
        _ snapshot: inout CatalogSnapshot, _ timeline: TimelineID, _ numbers: [UInt64],
        open: UInt64? = nil
    ) {
        var list = numbers.map { segment(timeline, $0, .sealed) }
        if let open {
            let last = segment(timeline, open / 100, .open)
            snapshot.openEnds[last.key] = open
            list.append(last)
        }
        snapshot.segments[timeline] = list
    }

    static func segment(
        _ timeline: TimelineID, _ number: UInt64, _ state: SegmentListing.State
    ) -> SegmentListing {
        let range = PositionRange(
            timeline: timeline, first: number * 100, last: number * 100 + 100)
        let suffix = state == .open ? ".partial" : ".lz4"
        let key = Layout.segment(source, HundredStyle(), range)
        return SegmentListing(
            range: range, key: ObjectKey(key.path + suffix), state: state, storedBytes: 40)
    }

    static func backup(
        _ timeline: TimelineID, start: UInt64, end: UInt64, finished: Int64
    ) -> BaseBackupDescriptor {
        BaseBackupDescriptor(
            id: "b\(start)", source: source, kind: .postgres, timeline: timeline, start: start,
            end: end, started: time(finished - 1), finished: time(finished), bytes: 1000,
            storedBytes: 500, files: [], server: ServerFacts(identity: "7", version: "150020"),
            warnings: [])
    }
}
