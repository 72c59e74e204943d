import Model
import Repository
import Testing

@testable import Monitoring

struct SourceHistoryTests {
    private static let now: Int64 = 29_925_000

    private func history(_ minutes: Int64, worst: Int64? = nil) -> SourceHistory {
        var history = SourceHistory()
        for minute in Self.now - minutes + 1...Self.now {
            history.add(
                HistoryPoint(
                    minute: minute, exposureSeconds: minute == worst ? 99 : 1, archivedBytes: 10))
        }
        return history
    }

    @Test func `a day has a point for each minute, oldest first`() {
        let points = history(3000).points(hours: 24, until: Self.now)
        #expect(SourceHistory.step(hours: 24) == 60)
        #expect(points.map(\.minute) == Array(Self.now - 1439...Self.now))
        #expect(points.allSatisfy { $0.exposureSeconds == 1 && $0.archivedBytes == 10 })
    }

    @Test(arguments: [1, 24, 25, 26, 50, 100, 720, 1600, 2160])
    func `a long span has at most 1500 points, with the worst of each and all the bytes`(
        _ hours: Int
    ) throws {
        let worst = Self.now - Int64(hours) * 30
        let points = history(Int64(hours) * 60 + 5000, worst: worst).points(
            hours: hours, until: Self.now)
        let width = Int64(SourceHistory.step(hours: hours) / 60)
        #expect(points.count <= 1500)
        #expect(points.count >= 60)
        #expect(points.first.map { $0.minute <= Self.now - Int64(hours) * 60 + width } == true)
        #expect(points.count { $0.exposureSeconds == 99 } == 1)
        let hit = try #require(points.first { $0.exposureSeconds == 99 })
        #expect(hit.minute <= worst && worst < hit.minute + width)
        #expect(points.dropLast().allSatisfy { $0.archivedBytes == 10 * UInt64(width) })
        #expect(zip(points, points.dropFirst()).allSatisfy { $0.minute + width == $1.minute })
    }

    @Test func `minutes without the sidecar have no point, and unknown is the worst`() {
        var history = SourceHistory()
        history.add(HistoryPoint(minute: Self.now, exposureSeconds: 5, archivedBytes: 1))
        history.add(HistoryPoint(minute: Self.now - 10, exposureSeconds: nil, archivedBytes: 2))
        history.add(HistoryPoint(minute: Self.now - 10, exposureSeconds: 5, archivedBytes: 3))
        let points = history.points(hours: 1, until: Self.now)
        #expect(points.map(\.minute) == [Self.now - 10, Self.now])
        #expect(points.first?.exposureSeconds == nil)
        #expect(points.first?.archivedBytes == 5)
    }

    @Test func `what comes late goes to its place, or nowhere when that is taken`() {
        var history = history(10)
        history.add(
            HistoryPoint(minute: Self.now - 20, exposureSeconds: 7, archivedBytes: 0))
        history.add(
            HistoryPoint(minute: Self.now - 1500, exposureSeconds: 8, archivedBytes: 0))
        let points = history.points(hours: 24, until: Self.now)
        #expect(points.first?.exposureSeconds == 7)
        #expect(points.count == 11)
        #expect(history.points(hours: 50, until: Self.now).contains { $0.exposureSeconds == 8 })
    }

    @Test func `what a wrong clock has written beyond now gives way`() {
        var history = SourceHistory()
        let far = Self.now + 1500 * 40
        history.add(HistoryPoint(minute: far, exposureSeconds: 9, archivedBytes: 9), now: far)
        let same = HistoryPoint(minute: Self.now, exposureSeconds: 1, archivedBytes: 2)
        history.add(same, now: Self.now)
        #expect(history.points(hours: 1, until: Self.now) == [same])
    }

    @Test func `the text is JSON with the keys of the contract`() throws {
        var history = SourceHistory()
        let time = try #require(CommitTime("2026-11-24T12:00:30Z"))
        let minute = HistoryPoint.minute(of: time)
        history.add(HistoryPoint(minute: minute, exposureSeconds: 0.8, archivedBytes: 12345))
        history.add(HistoryPoint(minute: minute - 1, exposureSeconds: nil, archivedBytes: 0))
        let text = HistoryText(
            hours: 24, now: time,
            sources: [(SourceID("ledger")!, history), (SourceID("other")!, SourceHistory())])
        #expect(
            String(decoding: text.bytes, as: UTF8.self)
                == """
                {"step_seconds":60,"sources":[{"name":"ledger","points":[\
                {"time":"2026-11-24T11:59:00.000Z","exposure_seconds":null,"archived_bytes":0},\
                {"time":"2026-11-24T12:00:00.000Z","exposure_seconds":0.8,"archived_bytes":12345}\
                ]},{"name":"other","points":[]}]}

                """)
    }

    @Test func `every minute is written as the time it is, over the turn of days`() throws {
        var history = SourceHistory()
        let time = try #require(CommitTime("2024-03-01T01:30:00Z"))
        let now = HistoryPoint.minute(of: time)
        for back in 0..<1440 as Range<Int64> {
            history.add(HistoryPoint(minute: now - back, exposureSeconds: 1, archivedBytes: 0))
        }
        let bytes = HistoryText(
            hours: 24, now: time, sources: [(SourceID("ledger")!, history)]
        ).bytes
        let times = String(decoding: bytes, as: UTF8.self).split(separator: "\"").filter {
            $0.hasPrefix("2024-")
        }
        let expected = history.points(hours: 24, until: now).map(\.time.description)
        #expect(times.map(String.init) == expected)
        #expect(expected.first == "2024-02-29T01:31:00.000Z" && expected.count == 1440)
    }

    @Test func `looks become minutes, with the worst of each and what was archived in it`() {
        var collector = MinuteCollector()
        #expect(collector.add(minute: 5, exposure: 1, archivedBytes: 100) == nil)
        #expect(collector.add(minute: 5, exposure: 3, archivedBytes: 150) == nil)
        #expect(collector.add(minute: 5, exposure: 2, archivedBytes: 150) == nil)
        let five = collector.add(minute: 6, exposure: nil, archivedBytes: 175)
        #expect(five == HistoryPoint(minute: 5, exposureSeconds: 3, archivedBytes: 150))
        #expect(collector.add(minute: 6, exposure: 1, archivedBytes: 175) == nil)
        // A clock that was set back is another minute, not an older number.
        let six = collector.add(minute: 2, exposure: 1, archivedBytes: 200)
        #expect(six == HistoryPoint(minute: 6, exposureSeconds: nil, archivedBytes: 25))
        #expect(
            collector.finish()
                == HistoryPoint(minute: 2, exposureSeconds: 1, archivedBytes: 25))
        #expect(collector.finish() == nil)
    }
}
