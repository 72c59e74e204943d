import Model
import Testing

@testable import Recovery

struct ClockConflictTests {
    private func time(_ seconds: Double) -> CommitTime {
        CommitTime(microseconds: Int64((seconds * 1e6).rounded()))
    }

    /// Commits of these times, ten positions each.
    private func conflict(_ target: Double, _ times: [Double]) -> ClockConflict? {
        var finder = ClockConflictFinder(time(target))
        for (number, seconds) in times.enumerated() {
            let first = UInt64(number) * 10
            finder.add(
                HistoryEntry(
                    event: .commit(transaction: UInt64(number)), first: first, last: first + 10,
                    time: time(seconds)))
        }
        return finder.conflict
    }

    @Test func `commits in order, and those that overtake each other by a little, agree`() {
        #expect(conflict(10, [11, 12, 13]) == nil)
        #expect(conflict(10, [10.05, 9.99, 10.06]) == nil)
        #expect(conflict(10, []) == nil)
    }

    @Test func `a commit from before the target behind one from long after it is a conflict`() {
        let found = conflict(10, [3610, 9, 9.5, 11])
        #expect(found?.end == 30)
        #expect(found?.ahead == time(3610))
        #expect(found?.behind == time(9.5))
    }

    @Test func `a clock that stood back for a while is a conflict too`() {
        #expect(conflict(10, [20, 21, 5, 22])?.end == 30)
    }

    @Test func `what was passed without a look counts`() {
        var finder = ClockConflictFinder(time(10))
        #expect(finder.concerns(time(10)))
        #expect(!finder.concerns(time(10.1)))
        finder.passed(time(50))
        finder.add(
            HistoryEntry(event: .abort(transaction: 1), first: 0, last: 10, time: time(9)))
        #expect(finder.conflict == nil)
        finder.add(
            HistoryEntry(event: .commit(transaction: 2), first: 10, last: 20, time: time(9)))
        #expect(finder.conflict?.end == 20)
    }
}
