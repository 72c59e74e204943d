import Model
import Testing

@testable import Daemon

struct BackupScheduleTests {
    private func at(_ text: String) -> CommitTime { CommitTime(text)! }

    private func nightly(_ zone: String? = nil) throws -> Schedule {
        try Schedule((zone.map { "CRON_TZ=\($0) " } ?? "") + "30 2 * * *", zone: .utc)
    }

    private func known(
        _ newest: String?, isRunning: Bool = false, needed: String? = nil
    ) -> BackupSchedule.Situation {
        BackupSchedule.Situation(
            newestStarted: newest.map(at), isRunning: isRunning, needed: needed)
    }

    @Test func `the first one is taken by itself, even without a schedule`() throws {
        let now = at("2026-11-22T12:00:00Z")
        for schedule in [nil, try nightly()] {
            let decider = BackupSchedule(schedule, since: now)
            #expect(decider.decide(known(nil), now: now) == .takeNow(.first))
        }
    }

    @Test func `later ones wait for the schedule`() throws {
        let decider = BackupSchedule(try nightly(), since: at("2026-11-22T12:00:00Z"))
        let known = known("2026-11-22T12:00:05Z")
        let run = at("2026-11-23T02:30:00Z")
        #expect(decider.decide(known, now: at("2026-11-22T12:10:00Z")) == .wait(until: run))
        #expect(decider.decide(known, now: run) == .takeNow(.scheduled(run)))
        #expect(
            decider.decide(known, now: at("2026-11-23T02:30:40Z")) == .takeNow(.scheduled(run)))
    }

    @Test func `without a schedule nothing is planned after the first`() {
        let now = at("2026-11-22T12:00:00Z")
        let decider = BackupSchedule(nil, since: now)
        #expect(
            decider.decide(known("2026-11-01T00:00:00Z"), now: now) == .wait(until: nil))
    }

    @Test func `runs missed while nobody was there are caught up once`() throws {
        let now = at("2026-11-22T12:00:00Z")
        var decider = BackupSchedule(try nightly(), since: now)
        // Three nights were missed; the newest of them is named.
        #expect(
            decider.decide(known("2026-11-19T02:30:02Z"), now: now)
                == .takeNow(.missed(at("2026-11-22T02:30:00Z"))))
        decider.finished(now: at("2026-11-22T12:20:00Z"))
        #expect(
            decider.decide(known("2026-11-22T12:00:01Z"), now: at("2026-11-22T12:21:00Z"))
                == .wait(until: at("2026-11-23T02:30:00Z")))
    }

    @Test func `runs that pass while one is being taken are done with it`() throws {
        var decider = BackupSchedule(
            try Schedule("0 * * * *", zone: .utc), since: at("2026-11-22T00:10:00Z"))
        let started = "2026-11-22T01:00:01Z"
        #expect(
            decider.decide(
                known("2026-11-21T23:00:00Z", isRunning: true),
                now: at("2026-11-22T02:00:00Z")) == .wait(until: nil))
        decider.finished(now: at("2026-11-22T03:20:00Z"))
        #expect(
            decider.decide(known(started), now: at("2026-11-22T03:20:01Z"))
                == .wait(until: at("2026-11-22T04:00:00Z")))
    }

    @Test func `one that is needed is taken at once, but never two at a time`() {
        let now = at("2026-11-22T12:00:00Z")
        let decider = BackupSchedule(nil, since: now)
        let needed = known("2026-11-22T11:00:00Z", needed: "history was lost")
        #expect(decider.decide(needed, now: now) == .takeNow(.needed("history was lost")))
        let running = known("2026-11-22T11:00:00Z", isRunning: true, needed: "history was lost")
        #expect(decider.decide(running, now: now) == .wait(until: nil))
        #expect(decider.decide(known(nil, isRunning: true), now: now) == .wait(until: nil))
    }

    @Test func `a failed one is tried again after one minute, two, four, at most an hour`() {
        var now = at("2026-11-22T12:00:00Z")
        var decider = BackupSchedule(nil, since: now)
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            decider.failed(now: now)
            let retry = now.advanced(bySeconds: Double(minutes) * 60)
            #expect(decider.decide(known(nil), now: now) == .wait(until: retry))
            #expect(decider.decide(known(nil), now: retry) == .takeNow(.first))
            now = retry
        }
        decider.finished(now: now)
        decider.failed(now: now)
        #expect(
            decider.decide(known(nil), now: now) == .wait(until: now.advanced(bySeconds: 60)))
    }

    @Test func `a failed scheduled one is retried, then the schedule goes on`() throws {
        let run = at("2026-11-23T02:30:00Z")
        var decider = BackupSchedule(try nightly(), since: at("2026-11-22T12:00:00Z"))
        let known = known("2026-11-22T12:00:00Z")
        decider.failed(now: run.advanced(bySeconds: 5))
        let retry = run.advanced(bySeconds: 65)
        #expect(decider.decide(known, now: run.advanced(bySeconds: 6)) == .wait(until: retry))
        #expect(decider.decide(known, now: retry) == .takeNow(.scheduled(run)))
        decider.finished(now: run.advanced(bySeconds: 100))
        #expect(
            decider.decide(self.known("2026-11-23T02:31:05Z"), now: run.advanced(bySeconds: 101))
                == .wait(until: at("2026-11-24T02:30:00Z")))
    }

    @Test func `a clock that was set back neither stops retries nor the schedule`() throws {
        let now = at("2026-11-22T12:00:00Z")
        var decider = BackupSchedule(try nightly(), since: now)
        decider.failed(now: at("2030-01-01T00:00:00Z"))
        #expect(decider.decide(known(nil), now: now) == .takeNow(.first))
        // The newest base backup is stamped with a year that has not come.
        let wrong = known("2030-01-01T00:00:00Z")
        var fresh = BackupSchedule(try nightly(), since: now)
        let run = at("2026-11-23T02:30:00Z")
        #expect(fresh.decide(wrong, now: now) == .wait(until: run))
        #expect(fresh.decide(wrong, now: run) == .takeNow(.scheduled(run)))
        fresh.finished(now: run)
        #expect(
            fresh.decide(wrong, now: run.advanced(bySeconds: 60))
                == .wait(until: at("2026-11-24T02:30:00Z")))
    }

    /// Simulates days minute by minute, every base backup succeeding in three minutes.
    private func runs(
        _ schedule: Schedule, from: String, minutes: Int
    ) -> [String] {
        var now = at(from)
        var newest = now
        var decider = BackupSchedule(schedule, since: now)
        var taken: [String] = []
        var busyUntil: CommitTime?
        for _ in 0..<minutes {
            if let end = busyUntil, end <= now {
                decider.finished(now: now)
                busyUntil = nil
            }
            let situation = BackupSchedule.Situation(
                newestStarted: newest, isRunning: busyUntil != nil, needed: nil)
            if case .takeNow = decider.decide(situation, now: now) {
                taken.append(now.text(fractionDigits: 0))
                newest = now
                busyUntil = now.advanced(bySeconds: 180)
            }
            now = now.advanced(bySeconds: 60)
        }
        return taken
    }

    @Test func `when clocks go forward the skipped run comes once`() throws {
        // Berlin, 2026-03-29: 02:00 CET becomes 03:00 CEST, so 02:30 does not exist.
        #expect(
            runs(try nightly("Europe/Berlin"), from: "2026-03-27T12:00:00Z", minutes: 4 * 1440)
                == [
                    "2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z",
                    "2026-03-31T00:30:00Z",
                ])
    }

    @Test func `when clocks go back the repeated run comes once`() throws {
        // Berlin, 2026-10-25: 03:00 CEST becomes 02:00 CET, so 02:30 comes twice.
        #expect(
            runs(try nightly("Europe/Berlin"), from: "2026-10-23T12:00:00Z", minutes: 4 * 1440)
                == [
                    "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z",
                    "2026-10-27T01:30:00Z",
                ])
    }
}
