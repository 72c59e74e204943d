import Catalog
import Model
import Monitoring
import TestKit
import Testing

@testable import Daemon

/// Behind lost history nothing counts as restorable, however the look at the archive fell.
@Suite struct GapReportTests {
    private static let now = ClockReading(
        wall: Sample.time(95), uptime: MonotonicTime(nanoseconds: 95_000_000_000), boot: "b")

    /// The archive before the gap was mended, with a watermark of before it.
    private static func facts() -> ArchiveFacts {
        var snapshot = Sample.gapped()
        snapshot.backups.removeLast()
        snapshot.watermark = Sample.watermark(200, proved: 30)
        return ArchiveFacts(snapshot)
    }

    private static func live(_ archived: UInt64) -> Watermark {
        var mark = Sample.watermark(archived, proved: 94)
        mark.written = now.wall
        return mark
    }

    private static func status(_ live: Watermark, isGapUnseen: Bool = false) -> SourceStatus {
        SourceReport(facts(), rpo: 60, now: now, live: live, isGapUnseen: isGapUnseen).status
    }

    @Test func `what is archived behind a gap is not restorable`() {
        #expect(Self.facts().reach?.ordinal == 200)
        let behind = Self.status(Self.live(760))
        #expect(behind.restorableTo == nil && behind.exposureSeconds == nil)
        #expect(behind.state == .gap)
        #expect(behind.reason.contains("history was lost"))
    }

    @Test func `a gap counts before anything behind it is archived`() {
        let seen = Self.status(Self.live(200))
        #expect(seen.restorableTo == nil && seen.exposureSeconds == nil && seen.state == .gap)
    }

    @Test func `before the look knows of it the board's word counts`() {
        let unseen = Self.status(Self.live(200), isGapUnseen: true)
        #expect(unseen.exposureSeconds == nil && unseen.state == .gap)
    }

    @Test func `a base backup behind the gap mends it`() {
        let status = SourceReport(
            ArchiveFacts(Sample.gapped()), rpo: 60, now: Self.now, live: Self.live(790)
        ).status
        #expect(status.exposureSeconds != nil && status.state == .streaming)
    }
}
