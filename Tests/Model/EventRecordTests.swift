import Testing

@testable import Model

/// What has been searched for destructive events, and what was found.
@Suite struct EventRecordTests {
    private static let one = TimelineID("1")

    private static func range(_ first: UInt64, _ last: UInt64, _ line: TimelineID = one)
        -> PositionRange
    { PositionRange(timeline: line, first: first, last: last) }

    private static func event(_ place: UInt64, _ seconds: Int64? = 1) -> DestructiveEvent {
        DestructiveEvent(
            before: Position(timeline: one, ordinal: place), action: "FLUSHALL", place: "",
            time: seconds.map { CommitTime(microseconds: $0 * 1_000_000) })
    }

    @Test func `neighbours grow together, and what lies between stays unsearched`() {
        var record = EventRecord()
        record.add(Self.range(100, 200), [])
        record.add(Self.range(300, 400), [Self.event(310)])
        record.add(Self.range(300, 400, TimelineID("2")), [])
        #expect(record.searched.count == 3)
        #expect(record.isSearched(Self.range(100, 200)))
        #expect(!record.isSearched(Self.range(100, 400)))
        #expect(!record.isSearched(Self.range(200, 300)))
        record.add(Self.range(200, 300), [Self.event(250)])
        #expect(record.searched.count == 2)
        #expect(record.isSearched(Self.range(100, 400)))
        #expect(record.events.map(\.before.ordinal) == [250, 310])
    }

    @Test func `searched twice, an event is there once`() {
        var record = EventRecord()
        for _ in 0..<2 { record.add(Self.range(0, 100), [Self.event(10), Self.event(20)]) }
        #expect(record.events.count == 2)
    }

    @Test func `of very many the newest are kept, and those without a time go first`() {
        var record = EventRecord()
        record.add(Self.range(0, 10), [Self.event(5, nil)])
        record.add(
            Self.range(10, 9000), (0..<3000).map { Self.event(10 + UInt64($0), Int64($0)) })
        #expect(record.events.count == EventRecord.limit)
        #expect(record.events.first?.before.ordinal == 2010)
        #expect(record.events.last?.before.ordinal == 3009)
    }

    @Test func `a disordered archive does not make it grow`() {
        var record = EventRecord()
        for place in 0..<3000 {
            record.add(Self.range(UInt64(place) * 10, UInt64(place) * 10 + 5), [])
        }
        #expect(record.searched.count == 1000)
        #expect(record.isSearched(Self.range(29_990, 29_995)))
    }
}
