import Model
import Testing

@testable import Daemon

@Suite struct CivilDateTests {
    @Test func `every day from 1600 to 2400 follows the one before`() {
        var last = CivilDate(year: 1599, month: 12, day: 31)
        let end = CivilDate(year: 2400, month: 3, day: 1).dayNumber
        while last.dayNumber < end {
            let date = CivilDate(dayNumber: last.dayNumber + 1)
            let follows =
                (date.day == last.day + 1 && date.month == last.month && date.year == last.year)
                || (date.day == 1 && date.month == last.month + 1 && date.year == last.year)
                || (date.day == 1 && date.month == 1 && last.month == 12
                    && date.year == last.year + 1)
            let back = CivilDate(year: date.year, month: date.month, day: date.day)
            guard follows, back == date, date.weekday == (last.weekday + 1) % 7 else {
                Issue.record("\(last) is followed by \(date)")
                return
            }
            last = date
        }
    }

    @Test func `days of the week are right`() {
        #expect(CivilDate(year: 1970, month: 1, day: 1).weekday == 4)
        #expect(CivilDate(year: 2000, month: 2, day: 29).weekday == 2)
        #expect(CivilDate(year: 1969, month: 12, day: 28).weekday == 0)
        #expect(CivilDate(year: 2026, month: 11, day: 24).weekday == 2)
    }
}
