import Model
import Monitoring
import TestKit
import Testing

@testable import Catalog
@testable import Daemon

/// The answer to a click on the time axis, from a catalog of a few numbers.
@Suite struct MomentReportTests {
    private static func moment(_ seconds: Int64, live: Watermark? = nil) -> SourceMoment {
        MomentReport(snapshot: Sample.gapped(), live: live, time: Sample.time(seconds)).moment
    }

    @Test func `a moment in a window names its base backup and what is replayed at most`() {
        let early = Self.moment(20)
        #expect(early.isRestorable && early.reason.isEmpty)
        #expect(early.backup?.id == "b10")
        // The last commit of the segment that ends at 200 came later.
        #expect(early.changeBytes == 190)
        let late = Self.moment(70)
        #expect(late.backup?.id == "b510")
        #expect(late.changeBytes == 250)
    }

    @Test func `a later base backup bounds what a moment before it needs`() {
        var snapshot = Sample.gapped()
        snapshot.backups.append(Sample.backup(Sample.one, start: 600, end: 605, finished: 80))
        let moment = MomentReport(snapshot: snapshot, live: nil, time: Sample.time(75)).moment
        #expect(moment.backup?.id == "b510")
        #expect(moment.changeBytes == 95)
    }

    @Test func `a moment in a gap is refused with the nearest on both sides`() {
        let moment = Self.moment(45)
        #expect(!moment.isRestorable && moment.backup == nil)
        #expect(moment.reason.contains("history of ledger was lost"))
        #expect(moment.nearestBefore?.time == Sample.time(30))
        #expect(moment.nearestAfter?.time == Sample.time(60))
    }

    @Test func `a moment between two histories is refused with the timelines to choose from`() {
        var snapshot = Sample.gapped()
        let other = TimelineID("2")
        snapshot.branches[Sample.one] = [
            AbandonedBranch(
                timeline: other, successor: Sample.one, fork: 550, first: Sample.time(65),
                last: Sample.time(68), takeover: Sample.time(75))
        ]
        let moment = { MomentReport(snapshot: snapshot, live: nil, time: $0).moment }
        let inside = moment(Sample.time(70))
        #expect(!inside.isRestorable)
        #expect(inside.reason.contains("--timeline \(other)"))
        let before = CommitTime(microseconds: Sample.time(65).microseconds - 1)
        #expect(inside.nearestBefore?.time == before)
        #expect(inside.nearestAfter?.time == Sample.time(75))
        #expect(moment(Sample.time(75)).isRestorable)
        #expect(moment(Sample.time(65).advanced(bySeconds: -0.001)).isRestorable)
    }

    @Test func `nothing is promised of a history that the source has just left`() {
        var mark = Sample.watermark(810, proved: 120)
        #expect(Self.moment(70, live: mark).isRestorable)
        mark.timeline = TimelineID("7")
        let left = Self.moment(70, live: mark)
        #expect(!left.isRestorable && left.reason.contains("gone over to another history"))
        #expect(left.nearestBefore == nil && left.nearestAfter == nil)
        let snapshot = Sample.gapped()
        #expect(!SourceTimeline(snapshot, live: nil).windows.isEmpty)
        #expect(SourceTimeline(snapshot, live: mark).windows.isEmpty)
        let report = { (live: Watermark) in
            SourceReport(
                ArchiveFacts(snapshot), rpo: 5,
                now: ClockReading(
                    wall: Sample.time(121), uptime: MonotonicTime(nanoseconds: 0), boot: ""),
                live: live
            ).status.recoveryWindows
        }
        #expect(report(mark).isEmpty)
        mark.timeline = Sample.one
        #expect(!report(mark).isEmpty)
    }

    @Test func `before the first and after the last moment there is one way round`() {
        #expect(Self.moment(1).nearestBefore == nil)
        #expect(Self.moment(1).nearestAfter?.time == Sample.time(10))
        #expect(Self.moment(100).nearestBefore?.time == Sample.time(90))
        #expect(Self.moment(100).nearestAfter == nil)
        #expect(!Self.moment(100).isRestorable)
    }

    @Test func `what was proved after the archive had been read counts`() {
        let moment = Self.moment(100, live: Sample.watermark(810, proved: 120))
        #expect(moment.isRestorable)
        #expect(moment.backup?.id == "b510")
        #expect(moment.changeBytes == 300)
        #expect(!Self.moment(121, live: Sample.watermark(810, proved: 120)).isRestorable)
    }

    @Test func `without a base backup nothing can be restored`() {
        var snapshot = Sample.gapped()
        snapshot.backups = []
        let moment = MomentReport(snapshot: snapshot, live: nil, time: Sample.time(70)).moment
        #expect(!moment.isRestorable)
        #expect(moment.reason.contains("tidemark backup ledger"))
        #expect(moment.nearestBefore == nil && moment.nearestAfter == nil)
    }

    private static func measured(
        base: UInt64 = 1 << 30, replay: UInt64? = 1 << 20, copy: Double = 8, recovery: Double? = 2
    ) -> RestoreMeasurement {
        let at = Sample.time(50)
        return RestoreMeasurement(
            copy: .init(at: at, baseBytes: base, replayBytes: nil, seconds: copy),
            recovery: recovery.map {
                .init(at: at, baseBytes: base, replayBytes: replay, seconds: $0)
            })
    }

    @Test func `no restore is said to measure how long a MongoDB takes to be filled`() {
        var snapshot = Sample.gapped()
        snapshot.descriptor.kind = .mongodb
        let moment = MomentReport(
            snapshot: snapshot, live: nil, measured: Self.measured(), time: Sample.time(70)
        ).moment
        #expect(moment.isRestorable && moment.estimatedSeconds == nil)
        #expect(moment.estimateBasis.contains("is not measured"))
        #expect(!moment.estimateBasis.contains("--start"))
    }

    @Test func `the time of a restore is told from the one that was measured`() {
        let known = MomentReport(
            snapshot: Sample.gapped(), live: nil, measured: Self.measured(), time: Sample.time(70)
        ).moment
        #expect(known.estimatedSeconds == 10)
        #expect(known.estimateBasis.contains("1970-01-01T00:00:50Z, 1.0 GiB, 1.0 MiB of changes"))
        #expect(Self.moment(70).estimatedSeconds == nil)
        #expect(Self.moment(70).estimateBasis.contains("no restore has been measured yet"))
        let lost = Self.moment(45)
        let document = { (sources: [SourceMoment]) in
            MomentDocument(at: Sample.time(70), sources: sources, command: nil, findCommand: "")
        }
        // Those that cannot be restored take no time, and one that was not measured tells nothing.
        #expect(document([known, known, lost]).estimatedSeconds == 20)
        #expect(document([known, Self.moment(70)]).estimatedSeconds == nil)
        #expect(document([known, Self.moment(70)]).estimateBasis.hasPrefix("ledger: no restore"))
        #expect(document([lost]).estimatedSeconds == nil)
        #expect(document([lost]).estimateBasis == "nothing can be restored to this moment")
    }

    @Test func `commands are ready for a shell`() {
        let at = CommitTime("2026-11-24T12:00:00.250Z")!
        let words = CommandWords(repository: "file:///srv/it's here", at: at)
        #expect(
            words.restore([SourceID("a")!, SourceID("b")!])
                == "tidemark restore --to 2026-11-24T12:00:00.250Z --into "
                + "./restored-20261124T120000Z --source a --source b "
                + "--repository 'file:///srv/it'\\''s here'")
        #expect(words.restore([]) == nil)
        let event = EventID(Position(timeline: TimelineID("0123456789abcdef"), ordinal: 17))
        #expect(
            words.undo(event, of: SourceID("a")!)
                == "tidemark restore --to before:01234567-17 --into "
                + "./restored-before-01234567-17 --source a "
                + "--repository 'file:///srv/it'\\''s here'")
        let bucket = CommandWords(repository: "s3://bucket/x?key=…", at: at)
        #expect(bucket.find == "tidemark find --around 2026-11-24T12:00:00.250Z")
    }
}
