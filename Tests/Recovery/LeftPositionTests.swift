import Catalog
import Model
import Recovery
import Repository
import TestKit
import Testing

/// Positions around a timeline that the source has left for another one, behind lost history.
@Suite struct `A position around a timeline that was left` {
    let one = Sample.one
    let two = Sample.two

    /// Timeline 1 from 300 to 577 with a base backup at 350, left for timeline 2, whose first base
    /// backup ends at 650.
    ///
    /// - Parameter first: the segments of timeline 1 before its open one.
    private func left(_ first: [UInt64] = [3, 4]) -> CatalogSnapshot {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, first, open: 577)
        Sample.fill(&snapshot, two, [6, 7], open: 850)
        snapshot.backups = [
            Sample.backup(one, start: 310, end: 350, finished: 100),
            Sample.backup(two, start: 610, end: 650, finished: 1000),
        ]
        snapshot.gaps = [
            Gap(
                timeline: one, first: 577, last: 600, nextTimeline: two,
                found: Sample.time(900), reason: "it went back", restorableTo: Sample.time(250))
        ]
        snapshot.watermark = Watermark(
            timeline: two, state: .streaming, received: 850, archived: 850,
            restorableTo: Sample.time(1100), provedAt: nil, written: Sample.time(1100))
        return snapshot
    }

    private func refusal(
        of ordinal: UInt64, _ snapshot: CatalogSnapshot, on timeline: TimelineID? = nil
    ) throws -> TidemarkError {
        let planner = try Planner(
            snapshot, target: .position(scheme: "lsn", text: "\(ordinal)"), timeline: timeline)
        do throws(TidemarkError) {
            _ = try planner.candidates(reaching: ordinal)
        } catch {
            #expect(error.code.exitStatus == 3, "\(error)")
            return error
        }
        throw TidemarkError(.failed, "\(ordinal) was not refused")
    }

    @Test(arguments: [UInt64(578), 590, 640])
    func `that lies in neither is refused with the last before and the first after`(
        ordinal: UInt64
    ) throws {
        let refused = try refusal(of: ordinal, left())
        #expect(refused.code == .targetInGap)
        #expect(refused.message.contains("it went back"), "\(refused.message)")
        #expect(refused.remedy.contains("(lsn:577 --timeline 1) before"), "\(refused.remedy)")
        #expect(refused.remedy.contains("(lsn:650) after"), "\(refused.remedy)")
    }

    @Test func `that lies on the old one is not said to be the new one's past`() throws {
        let refused = try refusal(of: 500, left(), on: two)
        #expect(refused.message.contains("and on timeline 1"), "\(refused.message)")
        #expect(refused.remedy.contains("`--timeline 1` restores it"), "\(refused.remedy)")
        #expect(refused.remedy.contains("lsn:650"), "\(refused.remedy)")
        let planner = try Planner(left(), target: .position(scheme: "lsn", text: "500"))
        #expect(planner.path.timeline == one)
    }

    @Test func `that lies in what no base backup of the old one reaches names both timelines`()
        throws
    {
        var snapshot = left([3])
        snapshot.gaps.append(
            Gap(
                timeline: one, first: 400, last: 500, found: Sample.time(300),
                reason: "its oplog was short"))
        let refused = try refusal(of: 550, snapshot)
        #expect(refused.message.contains("on timeline 1, which was left for timeline 2"))
        #expect(refused.message.contains("its oplog was short"), "\(refused.message)")
        #expect(refused.remedy.contains("(lsn:400 --timeline 1) before"), "\(refused.remedy)")
        #expect(refused.remedy.contains("(lsn:650) after"), "\(refused.remedy)")
    }

    @Test func `that something came late to names the moment before it`() throws {
        var snapshot = left()
        snapshot.lateLosses = [
            one: LateLoss(
                wholeUntil: 480, wholeUntilTime: Sample.time(250), reason: "481 came late")
        ]
        let refused = try refusal(of: 530, snapshot)
        #expect(refused.message.contains("on timeline 1, which was left for timeline 2"))
        #expect(refused.message.contains("481 came late"), "\(refused.message)")
        #expect(refused.remedy.contains("(lsn:480 --timeline 1) before"), "\(refused.remedy)")
        #expect(refused.remedy.contains("(lsn:650) after"), "\(refused.remedy)")
    }

    @Test func `before everything is refused with the earliest of all`() throws {
        let refused = try refusal(of: 320, left())
        #expect(refused.code == .targetOutsideWindow)
        #expect(refused.remedy.contains("(lsn:350 --timeline 1)"), "\(refused.remedy)")
    }
}
