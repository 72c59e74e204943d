import Model
import Testing

@testable import Daemon

@Suite struct ScheduleTests {
    /// The first `count` runs after a moment, as text.
    private func runs(
        _ text: String, _ zone: String = "UTC", after start: String, count: Int = 1
    ) throws -> [String] {
        let schedule = try Schedule(text, zone: try #require(TimeZoneRules.named(zone)))
        var time = try #require(CommitTime(start))
        var found: [String] = []
        for _ in 0..<count {
            time = try #require(schedule.next(after: time))
            found.append(time.text(fractionDigits: 0))
        }
        return found
    }

    @Test func `a daily schedule runs once a day at its time`() throws {
        let found = try runs("0 2 * * *", after: "2026-11-24T01:59:59.999999Z", count: 3)
        #expect(found == ["2026-11-24T02:00:00Z", "2026-11-25T02:00:00Z", "2026-11-26T02:00:00Z"])
    }

    @Test func `the next run is strictly after the moment asked for`() throws {
        #expect(try runs("0 2 * * *", after: "2026-11-24T02:00:00Z") == ["2026-11-25T02:00:00Z"])
    }

    @Test(arguments: [
        ("*/20 22-23 * * *", ["22:00", "22:20", "22:40", "23:00", "23:20", "23:40"]),
        ("5,35 8 * * *", ["08:05", "08:35"]),
        ("10-40/15 7,9 * * *", ["07:10", "07:25", "07:40", "09:10", "09:25", "09:40"]),
        ("@hourly", ["00:00", "01:00", "02:00"]),
    ])
    func `lists, ranges and steps give their times`(text: String, times: [String]) throws {
        let found = try runs(text, after: "2026-03-03T23:59:00Z", count: times.count)
        #expect(found == times.map { "2026-03-04T\($0):00Z" })
    }

    @Test func `two restricted day fields match either, one restricted field alone`() throws {
        // The 13th, and every Friday; 13 November 2026 is a Friday.
        let either = try runs("0 0 13 * fri", after: "2026-11-01T00:00:00Z", count: 5)
        #expect(
            either.map { $0.prefix(10) } == [
                "2026-11-06", "2026-11-13", "2026-11-20", "2026-11-27", "2026-12-04",
            ])
        let fridays = try runs("0 0 * * 5", after: "2026-11-01T00:00:00Z", count: 2)
        #expect(fridays.map { $0.prefix(10) } == ["2026-11-06", "2026-11-13"])
        let days = try runs("0 0 13 * *", after: "2026-11-01T00:00:00Z", count: 2)
        #expect(days.map { $0.prefix(10) } == ["2026-11-13", "2026-12-13"])
        // A star with a step still counts as a star, so both must match: odd days that are Fridays.
        let both = try runs("0 0 */2 * 5", after: "2026-11-01T00:00:00Z", count: 2)
        #expect(both.map { $0.prefix(10) } == ["2026-11-13", "2026-11-27"])
    }

    @Test func `Sunday is 0 and 7 and sun, and a range may end in it`() throws {
        for text in ["0 0 * * 0", "0 0 * * 7", "0 0 * * sun", "0 0 * * SUN"] {
            #expect(try runs(text, after: "2026-11-24T00:00:00Z") == ["2026-11-29T00:00:00Z"])
        }
        for text in ["0 0 * * 5-7", "0 0 * * fri-sun"] {
            let found = try runs(text, after: "2026-11-24T00:00:00Z", count: 4)
            #expect(
                found.map { $0.prefix(10) } == [
                    "2026-11-27", "2026-11-28", "2026-11-29", "2026-12-04",
                ])
        }
    }

    @Test func `names of months and the shorthands are understood`() throws {
        #expect(
            try runs("0 3 1 jan,Jul *", after: "2026-11-24T00:00:00Z", count: 2)
                == ["2027-01-01T03:00:00Z", "2027-07-01T03:00:00Z"])
        #expect(try runs("@monthly", after: "2026-11-24T00:00:00Z") == ["2026-12-01T00:00:00Z"])
        #expect(try runs("@yearly", after: "2026-11-24T00:00:00Z") == ["2027-01-01T00:00:00Z"])
        #expect(try runs("@weekly", after: "2026-11-24T00:00:00Z") == ["2026-11-29T00:00:00Z"])
        #expect(try runs("@daily", after: "2026-11-24T00:00:00Z") == ["2026-11-25T00:00:00Z"])
    }

    @Test func `29 February waits for a leap year, also over a century that has none`() throws {
        #expect(
            try runs("0 0 29 2 *", after: "2026-01-01T00:00:00Z", count: 2)
                == ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"])
        #expect(try runs("0 0 29 2 *", after: "2096-03-01T00:00:00Z") == ["2104-02-29T00:00:00Z"])
        // Only when it is a Sunday: forty years pass, since 2100 has no such day.
        #expect(try runs("0 0 29 2 */7", after: "2088-03-01T00:00:00Z") == ["2128-02-29T00:00:00Z"])
    }

    @Test(arguments: ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 2 */1"])
    func `days that never come are refused`(text: String) {
        let error = #expect(throws: OptionComplaint.self) { try Schedule(text, zone: .utc) }
        #expect(error?.detail == "these days never come")
    }

    @Test func `a day that never comes is no harm beside a day of the week`() throws {
        #expect(try runs("0 0 30 2 1", after: "2026-02-01T00:00:00Z") == ["2026-02-02T00:00:00Z"])
    }

    @Test(arguments: [
        ("* * * *", "it has 4 fields, not five"),
        ("0 2 * * * *", "it has 6 fields, not five"),
        ("60 * * * *", "in the minute: 60 is not from 0 to 59"),
        ("0 24 * * *", "in the hour: 24 is not from 0 to 23"),
        ("0 0 0 * *", "in the day of the month: 0 is not from 1 to 31"),
        ("0 0 * 13 *", "in the month: 13 is not from 1 to 12"),
        ("0 0 * * 8", "in the day of the week: 8 is not from 0 to 7"),
        ("0 0 * * fry", "in the day of the week: fry is not understood"),
        ("5-1 * * * *", "in the minute: 5-1 runs backward"),
        ("*/0 * * * *", "in the minute: 0 is not a step"),
        ("5/10 * * * *", "in the minute: a step needs a range or *, as in 5-…/10"),
        ("1,,2 * * * *", "in the minute: a value is missing"),
        ("-5 * * * *", "in the minute: a value is missing"),
        ("0 0 L * *", "in the day of the month: L is not understood"),
        (
            "@reboot",
            "@reboot is not one of @annually @daily @hourly @midnight @monthly @weekly @yearly"
        ),
        (
            "CRON_TZ=Mars/Olympus 0 2 * * *",
            "CRON_TZ=Mars/Olympus is not a time zone of this machine"
        ),
    ])
    func `what is wrong with a schedule is said`(text: String, detail: String) {
        let error = #expect(throws: OptionComplaint.self) { try Schedule(text, zone: .utc) }
        #expect(error?.detail == detail)
    }

    // MARK: clocks that change

    @Test func `a run in the skipped hour happens once, at the first moment after it`() throws {
        // Berlin, 29 March 2026: 02:00 becomes 03:00 at 01:00 UTC.
        let found = try runs("30 2 * * *", "Europe/Berlin", after: "2026-03-28T00:00:00Z", count: 3)
        #expect(found == ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"])
        // New York, 8 March 2026: 02:00 becomes 03:00 at 07:00 UTC.
        let west = try runs(
            "15,45 2 * * *", "America/New_York", after: "2026-03-08T00:00:00Z", count: 2)
        #expect(west == ["2026-03-08T07:00:00Z", "2026-03-09T06:15:00Z"])
    }

    @Test func `a run in the repeated hour happens once, the first time`() throws {
        // Berlin, 25 October 2026: 03:00 becomes 02:00 at 01:00 UTC.
        let found = try runs("30 2 * * *", "Europe/Berlin", after: "2026-10-24T12:00:00Z", count: 2)
        #expect(found == ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"])
        // New York, 1 November 2026: 02:00 becomes 01:00 at 06:00 UTC.
        let west = try runs(
            "30 1 * * *", "America/New_York", after: "2026-11-01T00:00:00Z", count: 2)
        #expect(west == ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"])
        // Asked between the two: it has run.
        let between = try runs("30 2 * * *", "Europe/Berlin", after: "2026-10-25T01:10:00Z")
        #expect(between == ["2026-10-26T01:30:00Z"])
    }

    @Test func `an hourly schedule follows the hours that really pass`() throws {
        let spring = try runs(
            "30 * * * *", "Europe/Berlin", after: "2026-03-29T00:00:00Z", count: 3)
        #expect(spring == ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"])
        let autumn = try runs(
            "30 * * * *", "Europe/Berlin", after: "2026-10-25T00:00:00Z", count: 3)
        #expect(autumn == ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"])
    }

    @Test func `a whole skipped day is caught up at the change`() throws {
        // Samoa had no 30 December 2011: the clock went from the 29th to the 31st at 10:00 UTC.
        let found = try runs(
            "0 12 30 12 *", "Pacific/Apia", after: "2011-06-01T00:00:00Z", count: 2)
        #expect(found == ["2011-12-30T10:00:00Z", "2012-12-29T22:00:00Z"])
    }

    @Test func `a zone in the text goes before the one beside it`() throws {
        let schedule = try Schedule("CRON_TZ=America/New_York 0 2 * * *", zone: .utc)
        #expect(schedule.zone.name == "America/New_York")
        let next = schedule.next(after: CommitTime("2026-07-01T00:00:00Z")!)
        #expect(next?.text(fractionDigits: 0) == "2026-07-01T06:00:00Z")
    }

    // MARK: back

    @Test(arguments: [
        "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia",
    ])
    func `previous finds what next found`(zone: String) throws {
        let rules = try #require(TimeZoneRules.named(zone))
        for text in ["30 2 * * *", "*/15 * * * *", "0 0 1 * *", "0,30 1-3 * * sun"] {
            let schedule = try Schedule(text, zone: rules)
            var time = CommitTime("2026-03-20T00:00:00Z")!
            for _ in 0..<300 {
                let next = try #require(schedule.next(after: time))
                #expect(next > time)
                let back = schedule.previous(before: next.advanced(bySeconds: 0.000001))
                #expect(back == next, "\(text) in \(zone) at \(next)")
                if let before = schedule.previous(before: next) {
                    #expect(before < next && schedule.next(after: before) == next)
                }
                time = next
            }
        }
    }

    @Test func `the previous run is strictly before the moment asked for`() throws {
        let schedule = try Schedule("0 2 * * *", zone: .utc)
        let at = try #require(CommitTime("2026-11-24T02:00:00Z"))
        #expect(schedule.previous(before: at) == CommitTime("2026-11-23T02:00:00Z"))
        #expect(schedule.previous(before: at.advanced(bySeconds: 0.5)) == at)
    }

    @Test func `times before 1970 are no exception`() throws {
        #expect(try runs("0 2 * * *", after: "1969-12-30T03:00:00.5Z") == ["1969-12-31T02:00:00Z"])
    }
}
