/// A five-field cron expression: minute, hour, day of the month, month, day of the week.
///
/// After crontab(5) of cronie and Debian's cron: when both day fields are restricted (neither
/// starts with `*`), a day that matches either of them counts; otherwise it must match both. Also
/// `@hourly @daily @midnight @weekly @monthly @yearly @annually`, and a leading
/// `CRON_TZ=Europe/Berlin`.
struct CronExpression: Sendable, Hashable {
    let minute: CronField
    let hour: CronField
    let day: CronField
    let month: CronField
    let weekday: CronField
    /// The zone named by `CRON_TZ=`; nil when there is none.
    let zoneName: String?

    private static let shorthands = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *",
        "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *",
        "@annually": "0 0 1 1 *",
    ]

    /// - Throws: a sentence about what is wrong.
    init(_ text: String) throws(OptionComplaint) {
        var words = text.split { $0 == " " || $0 == "\t" }
        if let first = words.first, first.hasPrefix("CRON_TZ=") {
            zoneName = String(first.dropFirst("CRON_TZ=".count))
            words.removeFirst()
        } else {
            zoneName = nil
        }
        if words.count == 1, words[0].hasPrefix("@") {
            guard let meaning = Self.shorthands[words[0].lowercased()] else {
                let known = Self.shorthands.keys.sorted().joined(separator: " ")
                throw OptionComplaint(detail: "\(words[0]) is not one of \(known)")
            }
            words = meaning.split(separator: " ")
        }
        guard words.count == 5 else {
            throw OptionComplaint(detail: "it has \(words.count) fields, not five")
        }
        minute = try CronField(words[0], .minute)
        hour = try CronField(words[1], .hour)
        day = try CronField(words[2], .day)
        month = try CronField(words[3], .month)
        weekday = try CronField(words[4], .weekday)
    }

    /// Whether the expression runs on this day at all.
    func matches(_ date: CivilDate) -> Bool {
        guard month.contains(date.month) else { return false }
        let isDay = day.contains(date.day)
        let isWeekday = weekday.contains(date.weekday)
        return day.isStar || weekday.isStar ? isDay && isWeekday : isDay || isWeekday
    }

    /// Seconds after midnight of every run of a matching day, ascending.
    var secondsOfDay: [Int64] {
        let minutes = minute.values
        return hour.values.flatMap { hour in minutes.map { Int64(hour * 3600 + $0 * 60) } }
    }

    /// Runs in every hour of its days: such a schedule follows the hours that really pass, when
    /// clocks change, instead of the hands of the clock.
    var isHourly: Bool { hour.values.count == 24 }
}
