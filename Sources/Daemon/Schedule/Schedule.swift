package import Model

/// When something runs: a cron expression in a time zone.
///
/// When clocks are set forward, a run in the skipped hour happens once, at the first moment that
/// exists after it; when they are set back, a run in the repeated hour happens once, the first
/// time. Schedules that run every hour simply follow the hours that pass, as crontab(5) says.
package struct Schedule: Sendable, Hashable {
    /// Longest pause a schedule can have: 29 February on one day of the week, over the leap year
    /// that a century leaves out, comes after 40 years.
    private static let searchDays: Int64 = 41 * 366

    /// As written in the configuration.
    package let text: String
    package let zone: TimeZoneRules
    private let expression: CronExpression

    /// - Throws: what is wrong with the text, also when its days never come.
    init(_ text: String, zone: TimeZoneRules) throws(OptionComplaint) {
        expression = try CronExpression(text)
        self.text = text
        if let name = expression.zoneName {
            guard let named = TimeZoneRules.named(name) else {
                throw OptionComplaint(detail: "CRON_TZ=\(name) is not a time zone of this machine")
            }
            self.zone = named
        } else {
            self.zone = zone
        }
        guard next(after: CommitTime("2000-01-01T00:00:00Z")!) != nil else {
            throw OptionComplaint(detail: "these days never come")
        }
    }

    /// The first run strictly after `time`; nil when there is none within 41 years.
    package func next(after time: CommitTime) -> CommitTime? {
        let seconds = time.wholeSeconds
        // One day early, since a clock that is set back can return to the day before.
        let start = localDay(seconds) - 1
        for day in start..<(start + Self.searchDays)
        where expression.matches(CivilDate(dayNumber: day)) {
            // The next day too: near a change of clocks its first run can come first.
            let found = (runs(day) + runs(day + 1)).filter { $0 > seconds }.min()
            if let found { return CommitTime(seconds: found) }
        }
        return nil
    }

    /// The last run strictly before `time`; nil when there is none within 41 years.
    package func previous(before time: CommitTime) -> CommitTime? {
        let seconds = time.wholeSeconds
        let isWhole = CommitTime(seconds: seconds) == time
        let start = localDay(seconds) + 1
        for back in 0..<Self.searchDays where expression.matches(CivilDate(dayNumber: start - back))
        {
            let candidates = runs(start - back) + runs(start - back - 1)
            let found = candidates.filter { isWhole ? $0 < seconds : $0 <= seconds }.max()
            if let found { return CommitTime(seconds: found) }
        }
        return nil
    }

    private func localDay(_ seconds: Int64) -> Int64 {
        let local = seconds + Int64(zone.offset(at: seconds))
        return local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
    }

    /// Every run of one local day, in seconds since 1970 UTC.
    private func runs(_ day: Int64) -> [Int64] {
        guard expression.matches(CivilDate(dayNumber: day)) else { return [] }
        return expression.secondsOfDay.flatMap { second -> [Int64] in
            switch zone.instants(ofLocal: day * 86_400 + second) {
            case .once(let instant): [instant]
            case .twice(let first, let second): expression.isHourly ? [first, second] : [first]
            case .skipped(let until): expression.isHourly ? [] : [until]
            }
        }
    }
}

extension CommitTime {
    /// Seconds since 1970, rounded down.
    fileprivate var wholeSeconds: Int64 {
        let quotient = microseconds / 1_000_000
        return microseconds % 1_000_000 < 0 ? quotient - 1 : quotient
    }

    fileprivate init(seconds: Int64) { self.init(microseconds: seconds * 1_000_000) }
}
