import Catalog
import Model
import Recovery
import Repository
import TestKit
import Testing

@Suite struct `The planner` {
    let one = Sample.one
    let two = Sample.two

    /// Two base backups, history from 300 to 577, proved to second 900.
    private func usual() -> CatalogSnapshot {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4], open: 577)
        snapshot.backups = [
            Sample.backup(one, start: 310, end: 350, finished: 100),
            Sample.backup(one, start: 410, end: 450, finished: 200),
        ]
        snapshot.watermark = Watermark(
            timeline: one, state: .streaming, received: 577, archived: 577,
            restorableTo: Sample.time(900), provedAt: nil, written: Sample.time(900))
        return snapshot
    }

    /// The same with history lost between 500 and 700.
    private func broken(recorded: Bool) -> CatalogSnapshot {
        var snapshot = usual()
        Sample.fill(&snapshot, one, [3, 4, 7, 8])
        snapshot.lastCommits[Sample.segment(one, 4, .sealed).key] = Sample.time(250)
        snapshot.backups.append(Sample.backup(one, start: 710, end: 750, finished: 700))
        snapshot.watermark?.archived = 900
        if recorded {
            snapshot.gaps = [
                Gap(
                    timeline: one, first: 500, last: 700, found: Sample.time(600),
                    reason: "the slot was lost")
            ]
        }
        return snapshot
    }

    private func planner(
        _ snapshot: CatalogSnapshot, _ target: RecoveryTarget, timeline: TimelineID? = nil
    ) throws -> Planner {
        try Planner(snapshot, target: target, timeline: timeline)
    }

    private func refusal<T>(_ body: () throws(TidemarkError) -> T) -> TidemarkError? {
        do throws(TidemarkError) {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }

    @Test func `calls a timeline lost that was archived and of which nothing is there`() throws {
        var snapshot = usual()
        snapshot.watermark?.timeline = two
        snapshot.watermark?.archived = 900
        let lost = refusal { () throws(TidemarkError) in
            try Planner(snapshot, target: .latest, timeline: nil)
        }
        #expect(lost?.code == .archiveIncomplete)
        #expect(lost?.message.contains("timeline 2") == true, "\(String(describing: lost))")
        // Whoever names the older one knows what is missing.
        #expect(try planner(snapshot, .latest, timeline: one).path.timeline == one)
    }

    @Test func `a timeline that has just begun behind a gap is not lost`() throws {
        var snapshot = usual()
        snapshot.gaps = [
            Gap(
                timeline: one, first: 577, last: 577, nextTimeline: two,
                found: Sample.time(901), reason: "it does not know us")
        ]
        snapshot.watermark?.timeline = two
        // What was proved before stays proved.
        snapshot.watermark?.archived = 0
        let refused = refusal { () throws(TidemarkError) in
            try Planner(snapshot, target: .latest, timeline: nil)
        }
        #expect(refused?.code == .targetInGap, "\(String(describing: refused))")
        #expect(refused?.message.contains("it does not know us") == true)
        #expect(refused?.remedy.contains("--timeline 1, up to --to lsn:") == true)
        // What was proved on it and is not there any more is lost.
        snapshot.watermark?.archived = 600
        let lost = refusal { () throws(TidemarkError) in
            try Planner(snapshot, target: .latest, timeline: nil)
        }
        #expect(lost?.code == .archiveIncomplete)
    }

    @Test func `the end of another history is not offered for one that was left`() throws {
        var snapshot = usual()
        let end = RecoveryTarget.position(scheme: "lsn", text: "9000")
        let here = try planner(snapshot, end)
        let newest = refusal { () throws(TidemarkError) in try here.candidates(reaching: 9000) }
        #expect(newest?.remedy.contains("--to latest") == true)
        Sample.fill(&snapshot, two, [6])
        snapshot.watermark?.timeline = two
        let left = try planner(snapshot, end, timeline: one)
        let older = refusal { () throws(TidemarkError) in try left.candidates(reaching: 9000) }
        #expect(older?.remedy.hasPrefix("the newest is ") == true)
        #expect(older?.remedy.contains("--to latest") == false)
    }

    @Test func `a target in a history that was never archived is out of reach, not damage`() throws
    {
        let archive = try RedisArchive()
        try archive.write([100, 101, 102])
        let refused = refusal { () throws(TidemarkError) in
            try archive.plan(.position(scheme: "offset", text: "cccc:30"))
        }
        #expect(refused?.code == .targetOutsideWindow)
        #expect(
            refused?.message.contains("no timeline cccc") == true, "\(String(describing: refused))")
        #expect(refused?.remedy == "choose one of: aaaa")
    }

    @Test func `takes the newest base backup for everything`() throws {
        let found = try planner(usual(), .latest).newest()
        #expect(found.backup.id == "b410")
        #expect(found.chain.segments.map(\.range.first) == [400, 500])
    }

    @Test func `takes the newest base backup that ends before the position`() throws {
        let usual = try planner(usual(), .latest)
        #expect(try usual.candidates(reaching: 449).map(\.backup.id) == ["b310"])
        #expect(try usual.candidates(reaching: 450).map(\.backup.id) == ["b410", "b310"])
    }

    @Test func `refuses a position before the first base backup's end`() throws {
        let error = refusal { () throws(TidemarkError) in
            try Planner(usual(), target: .position(scheme: "lsn", text: "349"))
                .candidates(reaching: 349)
        }
        #expect(error?.code == .targetOutsideWindow)
        #expect(error?.remedy.contains("1970-01-01T00:01:40.000Z (lsn:350)") == true)
    }

    @Test func `refuses a position behind the archive's end and names the newest`() throws {
        let planner = try planner(usual(), .position(scheme: "lsn", text: "578"))
        let error = refusal { () throws(TidemarkError) in try planner.candidates(reaching: 578) }
        #expect(error?.code == .targetOutsideWindow)
        #expect(error?.remedy.contains("1970-01-01T00:15:00.000Z (lsn:577)") == true)
    }

    @Test func `refuses a time before the first, after the proved and in the future`() throws {
        let planner = try planner(usual(), .time(Sample.time(99)))
        for second: Int64 in [99, 901, 9_999_999] {
            let error = refusal { () throws(TidemarkError) in
                try planner.candidates(at: Sample.time(second))
            }
            #expect(error?.code == .targetOutsideWindow)
        }
    }

    @Test func `offers the base backups finished by a time, newest first`() throws {
        let planner = try planner(usual(), .time(Sample.time(200)))
        #expect(try planner.candidates(at: Sample.time(200)).map(\.backup.id) == ["b410", "b310"])
        #expect(try planner.candidates(at: Sample.time(199)).map(\.backup.id) == ["b310"])
        #expect(try planner.candidates(at: Sample.time(900)).map(\.backup.id) == ["b410", "b310"])
    }

    @Test func `refuses a time in a gap and names both sides`() throws {
        let planner = try planner(broken(recorded: true), .time(Sample.time(400)))
        let error = refusal { () throws(TidemarkError) in
            try planner.candidates(at: Sample.time(400))
        }
        #expect(error?.code == .targetInGap)
        #expect(error?.remedy.contains("00:04:10.000Z") == true)
        #expect(error?.remedy.contains("00:11:40.000Z") == true)
    }

    @Test func `refuses a position in a gap, with the reason of the gap`() throws {
        let planner = try planner(broken(recorded: true), .position(scheme: "lsn", text: "600"))
        let error = refusal { () throws(TidemarkError) in try planner.candidates(reaching: 600) }
        #expect(error?.code == .targetInGap)
        #expect(error?.message.contains("the slot was lost") == true)
    }

    @Test func `calls a hole that no gap explains an incomplete archive`() throws {
        let planner = try planner(broken(recorded: false), .position(scheme: "lsn", text: "600"))
        let error = refusal { () throws(TidemarkError) in try planner.candidates(reaching: 600) }
        #expect(error?.code == .archiveIncomplete)
        #expect(error?.message.contains("500 to 700") == true)
    }

    @Test func `a time behind files that got lost meets damage, behind a gap record a gap`() throws
    {
        let time = RecoveryTarget.time(Sample.time(400))
        let lost = try planner(broken(recorded: false), time)
        let damage = refusal { () throws(TidemarkError) in
            try lost.candidates(at: Sample.time(400))
        }
        #expect(damage?.code == .archiveIncomplete)
        #expect(damage?.message.contains("500 to 700") == true, "\(String(describing: damage))")
        let known = try planner(broken(recorded: true), time)
        let gap = refusal { () throws(TidemarkError) in try known.candidates(at: Sample.time(400)) }
        #expect(gap?.code == .targetInGap)
    }

    @Test func `files lost behind the newest base backup are damage up to what was proved`() throws
    {
        var snapshot = broken(recorded: false)
        snapshot.backups.removeLast()
        let planner = try planner(snapshot, .time(Sample.time(400)))
        let damage = refusal { () throws(TidemarkError) in
            try planner.candidates(at: Sample.time(400))
        }
        #expect(damage?.code == .archiveIncomplete, "\(String(describing: damage))")
        let after = refusal { () throws(TidemarkError) in
            try planner.candidates(at: Sample.time(901))
        }
        #expect(after?.code == .targetOutsideWindow)
        #expect(after?.remedy.contains("latest") == false, "\(String(describing: after))")
    }

    @Test func `reaches beyond a gap from the base backup behind it`() throws {
        let planner = try planner(broken(recorded: true), .latest)
        #expect(try planner.newest().backup.id == "b710")
        #expect(try planner.candidates(at: Sample.time(240)).first?.backup.id == "b410")
    }

    @Test func `asks for an older base backup when the stop is before the copy's end`() throws {
        let planner = try planner(usual(), .time(Sample.time(200)))
        let found = try planner.candidates(at: Sample.time(200))
        let early = RecoveryStop(last: 420, end: 440, time: Sample.time(199))
        #expect(planner.plan(found[0], stop: early) == nil)
        let plan = planner.plan(found[1], stop: early)
        #expect(plan?.backup.id == "b310")
        #expect(plan?.chain.segments.map(\.range.first) == [300, 400])
        #expect(plan?.storedBytes == 580)
        #expect(plan?.replayBytes == 130)
    }

    @Test func `follows an older branch when told, and says what will be missing`() throws {
        var snapshot = usual()
        Sample.fill(&snapshot, two, [5], open: 650)
        snapshot.ancestors[two] = [Ancestor(timeline: one, end: 550)]
        snapshot.watermark?.timeline = two
        snapshot.watermark?.archived = 650
        let newest = try planner(snapshot, .latest)
        #expect(newest.path.timeline == two)
        #expect(try newest.newest().chain.end == Position(timeline: two, ordinal: 650))
        let older = try planner(snapshot, .latest, timeline: one)
        let plan = older.plan(try older.newest(), stop: nil)
        #expect(plan?.chain.end == Position(timeline: one, ordinal: 577))
        #expect(plan?.warnings.count == 1)
    }

    @Test func `refuses a timeline that does not exist and names those that do`() throws {
        let error = refusal { () throws(TidemarkError) in
            try Planner(usual(), target: .latest, timeline: two)
        }
        #expect(error?.code == .targetOutsideWindow)
        #expect(error?.remedy == "choose one of: 1")
    }

    @Test func `refuses an archive without a base backup`() {
        let error = refusal { () throws(TidemarkError) in
            try Planner(Sample.snapshot(), target: .latest)
        }
        #expect(error?.code == .targetOutsideWindow)
        #expect(error?.remedy.contains("tidemark backup ledger") == true)
    }
}
