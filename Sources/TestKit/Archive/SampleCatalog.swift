package import Catalog
package import Model
package import Repository

/// Builds snapshots from a few numbers.
package enum Sample {
    /// The source of all of them.
    package static let source = SourceID("ledger")!
    /// Timelines.
    package static let one = TimelineID("1")
    package static let two = TimelineID("2")

    /// A moment, by its seconds.
    package static func time(_ seconds: Int64) -> CommitTime {
        CommitTime(microseconds: seconds * 1_000_000)
    }

    /// One without anything.
    package static func snapshot() -> CatalogSnapshot {
        CatalogSnapshot(
            descriptor: SourceDescriptor(
                source: source, kind: .postgres, identity: "7", majorVersion: "15",
                segmentBytes: 100, created: time(0)),
            style: HundredStyle())
    }

    /// Sealed segments of these numbers; `open` adds an open one whose content ends there.
    package static func fill(
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

    /// One segment of a hundred positions.
    package static func segment(
        _ timeline: TimelineID, _ number: UInt64, _ state: SegmentListing.State
    ) -> SegmentListing {
        let range = PositionRange(
            timeline: timeline, first: number * 100, last: number * 100 + 100)
        let suffix = state == .open ? ".partial" : ".lz4"
        let key = Layout.segment(source, HundredStyle(), range)
        return SegmentListing(
            range: range, key: ObjectKey(key.path + suffix), state: state, storedBytes: 40)
    }

    /// One that was finished after a second.
    package static func backup(
        _ timeline: TimelineID, start: UInt64, end: UInt64, finished: Int64
    ) -> BaseBackupDescriptor {
        BaseBackupDescriptor(
            id: "b\(start)", source: source, kind: .postgres, timeline: timeline, start: start,
            end: end, started: time(finished - 1), finished: time(finished), bytes: 1000,
            storedBytes: 500, files: [], server: ServerFacts(identity: "7", version: "150020"),
            warnings: [])
    }

    /// Two base backups, a gap behind the first, and a watermark that proves up to second 90.
    package static func gapped() -> CatalogSnapshot {
        var snapshot = snapshot()
        fill(&snapshot, one, [0, 1, 5, 6], open: 760)
        snapshot.backups = [
            backup(one, start: 10, end: 20, finished: 10),
            backup(one, start: 510, end: 520, finished: 60),
        ]
        snapshot.lastCommits[segment(one, 1, .sealed).key] = time(30)
        snapshot.gaps = [
            Gap(
                timeline: one, first: 200, last: 500, found: time(40),
                reason: "the slot was dropped")
        ]
        snapshot.watermark = watermark(760, proved: 90)
        return snapshot
    }

    /// One that says that everything up to `archived` is proved.
    package static func watermark(_ archived: UInt64, proved: Int64) -> Watermark {
        Watermark(
            timeline: one, state: .streaming, received: archived, archived: archived,
            restorableTo: time(proved), provedAt: time(proved), written: time(proved))
    }
}
