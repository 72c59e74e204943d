import Catalog
import Model
import Monitoring
import Repository
import TestKit
import Testing

@testable import Daemon

struct SourceReportTests {
    private static let source = SourceID("ledger")!
    private static let one = TimelineID("1")

    private static func time(_ seconds: Double) -> CommitTime {
        CommitTime(microseconds: Int64(seconds * 1e6))
    }

    private static func segment(_ first: UInt64) -> SegmentListing {
        SegmentListing(
            range: PositionRange(timeline: one, first: first, last: first + 100),
            key: ObjectKey("ledger/wal/1/\(first).lz4"), state: .sealed, storedBytes: 40)
    }

    private static func backup(start: UInt64, finished: Double) -> BaseBackupDescriptor {
        BaseBackupDescriptor(
            id: "b\(start)", source: source, kind: .postgres, timeline: one, start: start,
            end: start + 10, started: time(finished - 1), finished: time(finished), bytes: 1000,
            storedBytes: 500, files: [], server: ServerFacts(identity: "7", version: "150020"),
            warnings: [])
    }

    /// Archived and proved up to 600 at second 1000.
    private func snapshot(_ firsts: [UInt64] = [300, 400, 500]) -> CatalogSnapshot {
        CatalogSnapshot(
            descriptor: SourceDescriptor(
                source: Self.source, kind: .postgres, identity: "7", majorVersion: "15",
                segmentBytes: 100, created: Self.time(0)),
            style: HundredStyle(), segments: [Self.one: firsts.map(Self.segment)],
            watermark: Watermark(
                timeline: Self.one, state: .streaming, received: 600, archived: 600,
                restorableTo: Self.time(1000), provedAt: Self.time(1000),
                written: Self.time(1000.5), boot: "a", writtenUptime: 50_500_000_000,
                provedUptime: 50_000_000_000))
    }

    private func status(
        _ snapshot: CatalogSnapshot, now: Double = 1001, uptime: UInt64 = 51, boot: String = "a"
    ) -> SourceStatus {
        let now = ClockReading(
            wall: Self.time(now), uptime: MonotonicTime(nanoseconds: uptime * 1_000_000_000),
            boot: boot)
        return SourceReport(snapshot: snapshot, rpo: 60, now: now).status
    }

    @Test func `a proof from before the first moment of the copy is no moment to restore to`() {
        var snapshot = snapshot()
        snapshot.backups = [Self.backup(start: 310, finished: 1000.5)]
        #expect(status(snapshot).restorableTo == nil && status(snapshot).exposureSeconds == nil)
        #expect(status(snapshot).reason.contains("nothing is proved since the base backup"))
        #expect(status(snapshot).state == .streaming)
        snapshot.backups = [Self.backup(start: 310, finished: 1000)]
        #expect(status(snapshot).restorableTo?.time == Self.time(1000))
    }

    @Test func `a base backup in trouble is told while the sidecar lives`() {
        var snapshot = snapshot()
        snapshot.backups = [Self.backup(start: 310, finished: 100)]
        snapshot.watermark?.backupTrouble = "the base backup failed at noon: no space"
        #expect(status(snapshot).reason == "the base backup failed at noon: no space")
        #expect(status(snapshot).state == .streaming)
        #expect(!status(snapshot, now: 1100, uptime: 150).reason.contains("no space"))
    }

    @Test func `with a base backup whose history reaches the end the proof is shown`() {
        var snapshot = snapshot()
        snapshot.backups = [Self.backup(start: 310, finished: 100)]
        let status = status(snapshot)
        #expect(status.state == .streaming)
        #expect(status.exposureSeconds == 1)
        #expect(status.restorableTo?.time == Self.time(1000))
        #expect(status.objective == .met)
        #expect(status.reason == "")
    }

    @Test func `a look before the first watermark holds nothing against what is proved since`() {
        var snapshot = snapshot()
        snapshot.backups = [Self.backup(start: 310, finished: 100)]
        let live = snapshot.watermark
        snapshot.watermark = nil
        let now = ClockReading(
            wall: Self.time(1001), uptime: MonotonicTime(nanoseconds: 51_000_000_000), boot: "a")
        func report(_ snapshot: CatalogSnapshot) -> SourceStatus {
            SourceReport(ArchiveFacts(snapshot), rpo: 60, now: now, live: live).status
        }
        #expect(report(snapshot).objective == .met && report(snapshot).reason == "")
        // Where no base backup's history comes to its end, nothing is proved as before.
        var torn = snapshot
        torn.backups = [Self.backup(start: 900, finished: 100)]
        #expect(report(torn).objective == .breached)
        #expect(report(torn).reason.contains("no base backup's history"))
    }

    @Test func `a file that is missing behind the newest base backup is told by its place`() {
        var snapshot = snapshot([300, 500])
        snapshot.backups = [Self.backup(start: 310, finished: 100)]
        let status = status(snapshot)
        #expect(status.exposureSeconds == nil)
        #expect(status.restorableTo == nil)
        #expect(status.objective == .breached)
        #expect(status.reason.contains("timeline 1 from 400 to 500"), "\(status.reason)")
        // Behind a newer base backup nobody needs it.
        snapshot.backups.append(Self.backup(start: 510, finished: 900))
        #expect(self.status(snapshot).objective == .met)
    }

    @Test func `without a base backup nothing is restorable and the objective is breached`() {
        let status = status(snapshot())
        #expect(status.exposureSeconds == nil)
        #expect(status.restorableTo == nil)
        #expect(status.objective == .breached)
        #expect(status.state == .streaming)
        #expect(status.archivedPosition == "600")
        #expect(status.reason.contains("no base backup"))
    }

    @Test func `after a gap the state is gap until a later base backup, whoever reads`() {
        var snapshot = snapshot([300, 500])
        snapshot.backups = [Self.backup(start: 310, finished: 100)]
        snapshot.gaps = [
            Gap(timeline: Self.one, first: 400, last: 500, found: Self.time(900), reason: "slot")
        ]
        let unmended = status(snapshot)
        #expect(unmended.state == .gap)
        #expect(unmended.exposureSeconds == nil)
        #expect(unmended.objective == .breached)
        #expect(unmended.reason.contains("history was lost"))
        snapshot.backups.append(Self.backup(start: 510, finished: 950))
        let mended = status(snapshot)
        #expect(mended.state == .streaming)
        #expect(mended.exposureSeconds == 1)
    }

    @Test func `a hole that no gap explains proves nothing behind it`() {
        var snapshot = snapshot([300, 500])
        snapshot.backups = [Self.backup(start: 310, finished: 100)]
        let status = status(snapshot)
        #expect(status.exposureSeconds == nil)
        #expect(status.reason.contains("has lost its files of timeline 1 from 400 to 500"))
    }

    @Test func `an end before what was acknowledged is told with its place and its way out`() {
        var snapshot = whole
        let open = SegmentListing(
            range: PositionRange(timeline: Self.one, first: 500, last: 600),
            key: ObjectKey("ledger/wal/1/500.partial"), state: .open, storedBytes: 40)
        snapshot.segments[Self.one] = [300, 400].map(Self.segment) + [open]
        snapshot.openEnds[open.key] = 570
        let status = status(snapshot)
        #expect(status.exposureSeconds == nil)
        #expect(status.restorableTo == nil)
        #expect(status.objective == .breached)
        for words in [
            "only up to 570", "500.partial is damaged", "600 was acknowledged", "--to lsn:570",
        ] {
            #expect(status.reason.contains(words), "\(status.reason)")
        }
        // While the source sends it again, too.
        snapshot.watermark?.archived = 550
        snapshot.watermark?.acknowledged = 600
        #expect(self.status(snapshot).objective == .breached)
    }

    private var whole: CatalogSnapshot {
        var snapshot = snapshot()
        snapshot.backups = [Self.backup(start: 310, finished: 100)]
        return snapshot
    }

    @Test func `on the same boot a step of the wall clock changes nothing`() {
        for wall in [0.0, 900, 1_000_000] {
            let status = status(whole, now: wall)
            #expect(status.exposureSeconds == 1)
            #expect(status.state == .streaming)
        }
        let dead = status(whole, now: 900, uptime: 2050)
        #expect(dead.state == .stopped)
        #expect(dead.exposureSeconds == 2000)
    }

    @Test func `a watermark from the future is unknown, and said so`() {
        let status = status(whole, now: 900, boot: "b")
        #expect(status.state == .stopped)
        #expect(status.exposureSeconds == nil)
        #expect(status.objective == .breached)
        #expect(status.reason.contains("written in the future"))
        let impossible = self.status(whole, uptime: 40)
        #expect(impossible.exposureSeconds == nil)
    }

    @Test func `two machines whose clocks nearly agree understand each other`() {
        let status = status(whole, now: 999.8, boot: "b")
        #expect(status.state == .streaming)
        #expect(status.exposureSeconds == 0)
    }

    @Test func `a stopped sidecar stays stopped, and says so besides the obstacle`() {
        let status = status(snapshot(), now: 2000, uptime: 1050)
        #expect(status.state == .stopped)
        #expect(status.reason.contains("no sidecar has reported"))
        #expect(status.reason.contains("no base backup"))
    }

    @Test func `what is known newer than the look at the archive is no doubt about it`() {
        let facts = ArchiveFacts(whole)
        var live = whole.watermark
        live?.archived = 5000
        live?.received = 5000
        live?.restorableTo = Self.time(1020)
        live?.provedAt = Self.time(1020)
        live?.provedUptime = 70_000_000_000
        live?.written = Self.time(1021)
        live?.writtenUptime = 71_000_000_000
        let now = ClockReading(
            wall: Self.time(1021), uptime: MonotonicTime(nanoseconds: 71_000_000_000), boot: "a")
        let status = SourceReport(facts, rpo: 60, now: now, live: live).status
        #expect(status.exposureSeconds == 1)
        #expect(status.archivedPosition == "5000")
        #expect(status.ordinals == .init(received: 5000, archived: 5000))
        #expect(status.recoveryWindows.last?.to.time == Self.time(1020))
        #expect(status.reason == "")
    }

    @Test func `what lies in the archive is counted once, when it is looked at`() {
        let facts = ArchiveFacts(whole)
        #expect(
            facts.stored
                == .init(segments: 3, segmentBytes: 120, backups: 1, backupBytes: 500))
    }
}
