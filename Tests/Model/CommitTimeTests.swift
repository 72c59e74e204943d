import FoundationEssentials
import Model
import Testing

@Suite struct CommitTimeTests {
    /// 0000-01-01 to 9999-12-31, the years that have four digits.
    private static let years =
        CommitTime("0000-01-01T00:00:00Z")!
        .microseconds...CommitTime("9999-12-31T23:59:59.999999Z")!.microseconds

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59.999999Z", -1),
        ("2000-01-01T00:00:00Z", CommitTime.postgresEpoch),
        ("2000-02-29T00:00:00Z", 951_782_400_000_000),
        ("2026-11-22T12:00:00.250Z", 1_795_348_800_250_000),
        ("2038-01-19T03:14:08Z", 2_147_483_648_000_000),
        ("1900-03-01T00:00:00Z", -2_203_891_200_000_000),
    ])
    func `known instants parse`(_ text: String, _ microseconds: Int64) {
        #expect(CommitTime(text)?.microseconds == microseconds)
    }

    @Test(arguments: [
        "2026-11-22T12:00:00Z", "2026-11-22 12:00:00Z", "2026-11-22T12:00:00z",
        "2026-11-22T12:00:00.0Z", "2026-11-22T12:00:00,000000Z", "2026-11-22T12:00:00.0000009Z",
        "2026-11-22T12:00Z", "2026-11-22 13:00+01:00",
        "2026-11-22T13:00:00+01:00", "2026-11-22T13:00:00+0100", "2026-11-22T13:00:00+01",
        "2026-11-22T06:30:00-05:30", "2026-11-23T02:00:00+14:00", "2026-11-21T23:00:00-13",
    ])
    func `one instant may be written in many ways`(_ text: String) {
        #expect(CommitTime(text)?.microseconds == 1_795_348_800_000_000)
    }

    @Test(arguments: [
        "", "latest", "2026-11-22", "2026-11-22T12:00", "2026-11-22T12:00:00",
        "2026-11-22T12Z", "2026-11-22T12:00.5Z", "2026-11-22T12:00:Z",
        "2026-11-22T12:00:00.Z", "2026-11-22T12:00:00.5", "2026-11-22t12:00:00Z",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
        "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00+1",
        "2026-01-01T00:00:00+01:", "2026-01-01T00:00:00 Z", "2026-01-01T00:00:00Zx",
        " 2026-01-01T00:00:00Z", "26-01-01T00:00:00Z", "12026-01-01T00:00:00Z",
        "2026-1-01T00:00:00Z", "-026-01-01T00:00:00Z", "２０２６-01-01T00:00:00Z",
    ])
    func `anything else is no time`(_ text: String) {
        #expect(CommitTime(text) == nil)
    }

    @Test func `printing rounds down, so that a printed time is never too late`() {
        let time = CommitTime("2026-11-22T12:00:00.120999Z")!
        #expect(time.description == "2026-11-22T12:00:00.120Z")
        #expect(time.text(fractionDigits: 0) == "2026-11-22T12:00:00Z")
        #expect(time.text(fractionDigits: 6) == "2026-11-22T12:00:00.120999Z")
        #expect(CommitTime(microseconds: -1).description == "1969-12-31T23:59:59.999Z")
    }

    @Test(arguments: 1...50)
    func `printing and parsing gives the same instant, in order`(_ seed: UInt64) {
        var numbers = NumberStream(seed: seed)
        for _ in 0..<200 {
            let a = CommitTime(microseconds: .random(in: Self.years, using: &numbers))
            let b = CommitTime(microseconds: .random(in: Self.years, using: &numbers))
            let text = a.text(fractionDigits: 6)
            #expect(CommitTime(text) == a, "seed \(seed): \(a.microseconds)")
            #expect((a < b) == (text < b.text(fractionDigits: 6)), "seed \(seed)")
            let cut = CommitTime(a.description)!
            #expect(cut <= a && a.microseconds - cut.microseconds < 1000, "seed \(seed)")
            #expect(CommitTime(postgres: a.postgres) == a, "seed \(seed)")
        }
    }

    @Test(arguments: 1...20)
    func `an offset shifts the instant by itself`(_ seed: UInt64) {
        var numbers = NumberStream(seed: seed)
        let local = CommitTime(microseconds: .random(in: Self.years, using: &numbers))
        let minutes = Int.random(in: -1439...1439, using: &numbers)
        let (hours, rest) = (abs(minutes) / 60, abs(minutes) % 60)
        let zone =
            (minutes < 0 ? "-" : "+") + (hours < 10 ? "0" : "") + "\(hours):"
            + (rest < 10 ? "0" : "") + "\(rest)"
        let time = CommitTime(local.text(fractionDigits: 6).dropLast() + zone)
        #expect(time?.microseconds == local.microseconds - Int64(minutes) * 60_000_000)
    }

    @Test func `every day of eight centuries follows the one before`() {
        var (year, month, day) = (1600, 1, 1)
        var expected = CommitTime.daysFromCivil(year: 1600, month: 1, day: 1)
        #expect(expected == -135_140)
        while year < 2400 {
            let days = CommitTime.daysFromCivil(year: year, month: month, day: day)
            if days != expected {
                Issue.record("\(year)-\(month)-\(day): \(days), not \(expected)")
            }
            let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
            let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            expected += 1
            day += 1
            if day > lengths[month - 1] { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
    }

    @Test func `no number makes it trap`() {
        let ends = [Int64.min, .min + 1, -1, 0, 1, .max - 1, .max]
        for a in ends {
            let time = CommitTime(microseconds: a)
            #expect(!time.description.isEmpty)
            #expect(CommitTime(postgres: a).postgres == a)
            for b in ends { _ = time.seconds(since: CommitTime(microseconds: b)) }
        }
        #expect(
            CommitTime(microseconds: .max).seconds(since: CommitTime(microseconds: .min)) > 1.8e13)
    }

    @Test func `differences and sums are in seconds`() {
        let time = CommitTime("2026-11-22T12:00:00Z")!
        let later = time.advanced(bySeconds: 1.5)
        #expect(later.seconds(since: time) == 1.5)
        #expect(time.seconds(since: later) == -1.5)
        #expect(later.advanced(bySeconds: -1.5) == time)
    }

    @Test func `in JSON nothing of it is lost, and a wrong text is refused`() throws {
        let time = CommitTime("2026-11-22T12:00:00.123456Z")!
        let json = try JSONEncoder().encode([time])
        #expect(String(decoding: json, as: UTF8.self) == "[\"2026-11-22T12:00:00.123456Z\"]")
        #expect(try JSONDecoder().decode([CommitTime].self, from: json) == [time])
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([CommitTime].self, from: Data("[\"yesterday\"]".utf8))
        }
    }
}
