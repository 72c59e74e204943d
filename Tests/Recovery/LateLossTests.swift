import Catalog
import Model
import Recovery
import Repository
import TestKit
import Testing

/// A timeline whose source told too late of something that belongs amid what was archived.
@Suite struct `History that something came late to` {
    let one = Sample.one
    let two = Sample.two
    private let loss = LateLoss(
        wholeUntil: 480, wholeUntilTime: Sample.time(250), reason: "an event of 481 came late")

    /// Two base backups and history from 300 to 577 of which all was proved; whole up to 480.
    private func noticed() -> CatalogSnapshot {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4], open: 577)
        snapshot.backups = [
            Sample.backup(one, start: 310, end: 350, finished: 100),
            Sample.backup(one, start: 490, end: 520, finished: 300),
        ]
        snapshot.watermark = Watermark(
            timeline: one, state: .streaming, received: 577, archived: 577,
            restorableTo: Sample.time(900), provedAt: nil, written: Sample.time(900))
        snapshot.lateLosses = [one: loss]
        return snapshot
    }

    /// The same once the source is on another timeline, with a base backup there.
    private func left() -> CatalogSnapshot {
        var snapshot = noticed()
        Sample.fill(&snapshot, two, [6, 7], open: 850)
        snapshot.backups.append(Sample.backup(two, start: 610, end: 650, finished: 1000))
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

    private func refusal<T>(_ body: () throws(TidemarkError) -> T) -> TidemarkError? {
        do throws(TidemarkError) {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }

    private func planner(
        _ snapshot: CatalogSnapshot, _ target: RecoveryTarget, on timeline: TimelineID? = nil
    ) throws -> Planner {
        try Planner(snapshot, target: target, timeline: timeline)
    }

    @Test func `is given up to the place before it, and refused from there on`() throws {
        let planner = try planner(left(), .position(scheme: "lsn", text: "481"), on: one)
        #expect(try planner.candidates(reaching: 480).map(\.backup.end) == [350])
        for ordinal: UInt64 in [481, 530, 577] {
            let refused = refusal { () throws(TidemarkError) in
                try planner.candidates(reaching: ordinal)
            }
            #expect(refused?.code == .targetInGap && refused?.code.exitStatus == 3)
            #expect(refused?.message.contains(loss.reason) == true)
            #expect(refused?.remedy.contains("before and") == true)
            #expect(refused?.remedy.contains("lsn:480") == true, "\(refused?.remedy ?? "")")
        }
    }

    @Test(arguments: [false, true])
    func `is not given to its end either, whether or not its gap is recorded`(
        isLeft: Bool
    ) throws {
        let snapshot = isLeft ? left() : noticed()
        let planner = try planner(snapshot, .latest, on: one)
        let refused = refusal { () throws(TidemarkError) in try planner.newest() }
        #expect(refused?.code == .targetInGap, "\(String(describing: refused))")
        if isLeft { #expect(try self.planner(snapshot, .latest).newest().backup.end == 650) }
    }

    @Test func `proves no time behind it, though the watermark did`() throws {
        let snapshot = noticed()
        let whole = RecoveryWindow(timeline: one, from: Sample.time(100), to: Sample.time(250))
        // Of the base backup that was read behind it there is no window, not even a moment.
        #expect(snapshot.windows() == [whole])
        let at = { (seconds: Int64) throws -> TidemarkError? in
            let time = Sample.time(seconds)
            let planner = try planner(snapshot, .time(time))
            return refusal { () throws(TidemarkError) in try planner.candidates(at: time) }
        }
        #expect(try at(250) == nil)
        #expect(try at(251)?.code.exitStatus == 3)
        #expect(try at(300)?.code.exitStatus == 3)
        #expect(left().windows().map(\.to) == [Sample.time(250), Sample.time(1100)])
    }

    @Test func `is found by a position or a point on it without being named`() throws {
        var snapshot = left()
        snapshot.points = [
            RestorePoint(name: "late", timeline: one, position: 500, time: Sample.time(400))
        ]
        #expect(try planner(snapshot, .position(scheme: "lsn", text: "470")).path.timeline == one)
        #expect(try planner(snapshot, .position(scheme: "lsn", text: "700")).path.timeline == two)
        let point = try planner(snapshot, .point("late"))
        #expect(point.path.timeline == one)
        let refused = refusal { () throws(TidemarkError) in try point.candidates(reaching: 500) }
        #expect(refused?.code == .targetInGap)
        // The newer line has moments as well.
        #expect(refused?.remedy.contains("before and") == true, "\(refused?.remedy ?? "")")
    }

    @Test func `a time of the history before is refused on a timeline that began later`() throws {
        let snapshot = left()
        let planner = try planner(snapshot, .time(Sample.time(200)), on: two)
        let refused = refusal { () throws(TidemarkError) in
            try planner.candidates(at: Sample.time(200))
        }
        #expect(refused?.code == .targetInGap, "\(String(describing: refused))")
    }
}
