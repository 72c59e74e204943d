import Testing

@testable import Mongo

@Suite struct RecentEventsTests {
    /// A document of `size` bytes that differs from others with another number.
    private func document(_ number: UInt8, _ size: Int) -> [UInt8] {
        let length = (0..<4).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) }
        return length + [UInt8](repeating: number, count: size - 4)
    }

    private func holds(_ events: RecentEvents, _ number: UInt8, _ size: Int) -> Bool {
        events.holds(document(number, size)[...])
    }

    @Test func `a document is found byte for byte`() {
        var events = RecentEvents()
        events.keep((document(1, 20) + document(2, 30))[...])
        events.keep(document(3, 40)[...])
        #expect(holds(events, 1, 20) && holds(events, 2, 30) && holds(events, 3, 40))
        #expect(!holds(events, 2, 20) && !holds(events, 4, 20))
    }

    @Test func `when it is full the newest half stays`() {
        var events = RecentEvents()
        let size = RecentEvents.limit / 8
        for number in UInt8(0)..<9 { events.keep(document(number, size)[...]) }
        #expect((UInt8(4)..<9).allSatisfy { holds(events, $0, size) })
        #expect((UInt8(0)..<4).allSatisfy { !holds(events, $0, size) })
    }

    @Test func `of more than fits at once the last documents stay`() {
        var events = RecentEvents()
        events.keep(document(9, 20)[...])
        let size = RecentEvents.limit / 8
        events.keep((UInt8(0)..<10).flatMap { document($0, size) }[...])
        #expect((UInt8(6)..<10).allSatisfy { holds(events, $0, size) })
        #expect(!holds(events, 5, size) && !holds(events, 9, 20))
        // After one that does not fit at all, nothing is the newest any more.
        events.keep(document(11, RecentEvents.limit + 1)[...])
        #expect(!holds(events, 9, size))
        // One that fits only alone.
        events.keep(document(12, 20)[...])
        events.keep(document(13, RecentEvents.limit)[...])
        #expect(holds(events, 13, RecentEvents.limit) && !holds(events, 12, 20))
    }
}
