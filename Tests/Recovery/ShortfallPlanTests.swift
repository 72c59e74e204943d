import Catalog
import Model
import Recovery
import Repository
import TestKit
import Testing

@Suite struct `The planner before a damaged end` {
    let one = Sample.one

    /// History can be read to 520, 590 was acknowledged; the last commit that can be read is of
    /// second 400.
    private func damaged() -> CatalogSnapshot {
        var snapshot = Sample.snapshot()
        Sample.fill(&snapshot, one, [3, 4], open: 520)
        snapshot.lastCommits[Sample.segment(one, 5, .open).key] = Sample.time(400)
        snapshot.backups = [Sample.backup(one, start: 310, end: 350, finished: 100)]
        snapshot.watermark = Watermark(
            timeline: one, state: .streaming, received: 590, archived: 590,
            restorableTo: Sample.time(900), provedAt: nil, written: Sample.time(900))
        return snapshot
    }

    private func refusal(
        _ snapshot: CatalogSnapshot, _ target: RecoveryTarget,
        _ ask: (Planner) throws(TidemarkError) -> [Candidate]
    ) throws -> TidemarkError? {
        let planner = try Planner(snapshot, target: target)
        do throws(TidemarkError) {
            _ = try ask(planner)
            return nil
        } catch {
            return error
        }
    }

    private func expectDamage(_ error: TidemarkError?, _ words: String...) {
        #expect(error?.code == .archiveDamaged)
        #expect(error?.code.exitStatus == 4)
        for word in ["read only up to 520 on timeline 1", "590 was acknowledged", ".partial"] {
            #expect(error?.message.contains(word) == true, "\(error?.message ?? "")")
        }
        let remedy = error?.remedy ?? ""
        for word in words { #expect(remedy.contains(word), "\(remedy)") }
    }

    @Test func `refuses latest and names what can be had`() throws {
        let error = try refusal(damaged(), .latest) { (planner) throws(TidemarkError) in
            [try planner.newest()]
        }
        expectDamage(error, "--to lsn:520", "--to 1970-01-01T00:06:40.000Z", "tidemark run")
    }

    @Test func `refuses positions and times behind it, and takes those before it`() throws {
        let position = RecoveryTarget.position(scheme: "lsn", text: "521")
        expectDamage(
            try refusal(damaged(), position) { (planner) throws(TidemarkError) in
                try planner.candidates(reaching: 521)
            }, "--to lsn:520")
        for second: Int64 in [401, 900, 5000] {
            expectDamage(
                try refusal(damaged(), .time(Sample.time(second))) {
                    (planner) throws(TidemarkError) in
                    try planner.candidates(at: Sample.time(second))
                })
        }
        let near = try Planner(damaged(), target: position)
        #expect(try near.candidates(reaching: 520).map(\.backup.id) == ["b310"])
        #expect(try near.candidates(at: Sample.time(400)).map(\.backup.id) == ["b310"])
    }

    @Test func `of a power failure's end says what brings the rest, and what can be had without`()
        throws
    {
        // Whole frames behind torn ones, none of them acknowledged.
        var snapshot = damaged()
        snapshot.watermark?.archived = 520
        snapshot.damaged = [Sample.segment(one, 5, .open).key]
        let error = try refusal(snapshot, .latest) { (planner) throws(TidemarkError) in
            [try planner.newest()]
        }
        #expect(error?.code == .archiveDamaged)
        #expect(error?.message.contains("in the moment of a power failure") == true)
        let remedy = error?.remedy ?? ""
        #expect(remedy.contains("start `tidemark run`"), "\(remedy)")
        #expect(remedy.contains("--to lsn:520 for all of it"), "\(remedy)")
        // What the message offers is possible as it stands.
        let offered = RecoveryTarget.position(scheme: "lsn", text: "520")
        let near = try Planner(snapshot, target: offered)
        #expect(try near.candidates(reaching: 520).map(\.backup.id) == ["b310"])
    }

    @Test func `says so where the only base backup needs what is damaged`() throws {
        var snapshot = damaged()
        snapshot.backups = [Sample.backup(one, start: 410, end: 550, finished: 100)]
        for target in [RecoveryTarget.latest, .time(Sample.time(300)), .transaction(7)] {
            let error = try refusal(snapshot, target) { (planner) throws(TidemarkError) in
                switch target {
                case .latest: [try planner.newest()]
                case .time(let time): try planner.candidates(at: time)
                default: try planner.candidates()
                }
            }
            expectDamage(error, "no base backup can be used without it")
        }
    }
}
