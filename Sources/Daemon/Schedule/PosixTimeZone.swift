/// A rule for ever, in the form of POSIX's TZ variable with the extensions of RFC 8536:
/// `CET-1CEST,M3.5.0,M10.5.0/3`.
///
/// Names are letters or `<…>`; offsets count westward, hence the minus sign for Berlin; a date is
/// `Mmonth.week.weekday` (week 5 is the last), `Jday` (1 to 365, never 29 February) or `day` (0 to
/// 365), with the local time of the change after `/` (-167 to 167 hours, default 02:00).
struct PosixTimeZone: Sendable, Hashable {
    /// Seconds east of UTC.
    let standard: Int
    /// Nil when the clocks never change.
    let daylight: Daylight?

    struct Daylight: Sendable, Hashable {
        var offset: Int
        var start: Change
        var end: Change
    }

    /// A day of each year and the local time on it, in seconds.
    struct Change: Sendable, Hashable {
        enum Day: Sendable, Hashable {
            case monthWeekday(month: Int, week: Int, weekday: Int)
            /// 1 to 365; 29 February is not counted.
            case julian(Int)
            /// 0 to 365.
            case ofYear(Int)
        }

        var day: Day
        var time: Int
    }

    /// Nil when the text is not such a rule.
    init?(_ text: String) {
        var scanner = PosixTimeZoneScanner(text)
        guard scanner.name(), let standardWest = scanner.offset() else { return nil }
        standard = -standardWest
        if scanner.isAtEnd {
            daylight = nil
            return
        }
        guard scanner.name() else { return nil }
        // Without its own offset, daylight time is one hour ahead.
        let west = scanner.isAt(",") ? standardWest - 3600 : scanner.offset()
        guard let west, scanner.take(","), let start = scanner.change(), scanner.take(","),
            let end = scanner.change(), scanner.isAtEnd
        else { return nil }
        daylight = Daylight(offset: -west, start: start, end: end)
    }

    /// Seconds east of UTC at `instant` (seconds since 1970).
    func offset(at instant: Int64) -> Int {
        guard let daylight else { return standard }
        let local = instant + Int64(standard)
        let day = local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
        let year = CivilDate(dayNumber: day).year
        // Changes can lie in the neighbouring year by a time beyond a day's end.
        var changes: [(instant: Int64, offset: Int)] = []
        for year in (year - 1)...(year + 1) {
            changes.append(
                (daylight.start.local(year) - Int64(standard), daylight.offset))
            changes.append(
                (daylight.end.local(year) - Int64(daylight.offset), standard))
        }
        // At equal instants daylight time wins: zones of everlasting daylight time are written so.
        changes.sort {
            ($0.instant, $0.offset == standard ? 0 : 1) < (
                $1.instant, $1.offset == standard ? 0 : 1
            )
        }
        return changes.last { $0.instant <= instant }?.offset ?? standard
    }
}

extension PosixTimeZone.Change {
    /// The local reading of the change in a year, as if it were seconds since 1970 UTC.
    func local(_ year: Int) -> Int64 {
        let newYear = CivilDate(year: year, month: 1, day: 1).dayNumber
        let dayNumber: Int64
        switch day {
        case .ofYear(let day): dayNumber = newYear + Int64(day)
        case .julian(let day):
            dayNumber = newYear + Int64(day - 1) + (CivilDate.isLeap(year) && day >= 60 ? 1 : 0)
        case .monthWeekday(let month, let week, let weekday):
            let first = CivilDate(year: year, month: month, day: 1)
            var day = (weekday - first.weekday + 7) % 7 + 7 * (week - 1)
            let next =
                month == 12
                ? CivilDate(year: year + 1, month: 1, day: 1)
                : CivilDate(year: year, month: month + 1, day: 1)
            while first.dayNumber + Int64(day) >= next.dayNumber { day -= 7 }
            dayNumber = first.dayNumber + Int64(day)
        }
        return dayNumber * 86_400 + Int64(time)
    }
}
