import Model
import Testing

@testable import Segments

/// What the index of a segment of fixed size tells of a clock that ran backwards.
struct TurnedClockTests {
    private func entry(_ position: UInt64, _ seconds: Double) -> HistoryEntry {
        HistoryEntry(
            event: .commit(transaction: position), first: position, last: position + 10,
            time: CommitTime(microseconds: Int64(seconds * 1e6)))
    }

    private func index(_ entries: [HistoryEntry]) -> SegmentIndex {
        var index = SegmentIndex(first: 0, bytes: 1 << 20)
        for entry in entries { index.add(entry) }
        return index
    }

    private func seconds(_ index: SegmentIndex) -> [[Double]] {
        index.stretches.map {
            [Double($0.position), $0.earliest.inSeconds, $0.latest.inSeconds]
        }
    }

    private static let turned: [(UInt64, Double)] = [
        (100, 10), (200, 20), (300, 12), (400, 15), (500, 16), (600, 30),
    ]
    private var turned: [HistoryEntry] { Self.turned.map { entry($0.0, $0.1) } }

    @Test func `a time that lies before an earlier one begins a stretch of its own`() {
        let index = index(turned)
        #expect(seconds(index) == [[100, 10, 20], [300, 12, 30]])
        // Commits overtake each other by less.
        let close = self.index([entry(100, 10), entry(200, 20), entry(300, 19.95)])
        #expect(seconds(close) == [[100, 10, 20]])
    }

    @Test func `adding again changes nothing, also behind a turn`() {
        let once = index(turned)
        var again = once
        for entry in turned + turned.reversed() { again.add(entry) }
        #expect(again == once)
    }

    @Test func `notes carry it, one for all or one for each`() {
        let whole = index(turned)
        for size in 1...turned.count {
            var back = SegmentIndex(first: 0, bytes: 1 << 20)
            for start in stride(from: 0, to: turned.count, by: size) {
                let part = index(Array(turned[start..<min(start + size, turned.count)]))
                for note in HistoryNote.encode(part) {
                    #expect(HistoryNote.decode(note, into: &back))
                }
            }
            #expect(seconds(back) == seconds(whole), "\(size) in a note")
            // What is sent again is no turn, though notes tell no more than where a stretch begins.
            back.know(until: 610)
            for entry in turned { back.add(entry) }
            #expect(seconds(back) == seconds(whole), "\(size) in a note, sent again")
            back.add(entry(700, 25))
            #expect(seconds(back).last == [700, 25, 25])
        }
    }

    @Test func `a clock that turns without end takes no more than so many stretches`() throws {
        var entries: [HistoryEntry] = []
        for round in 0..<500 {
            entries.append(entry(UInt64(round * 20), 1000 + Double(round)))
            entries.append(entry(UInt64(round * 20 + 10), 500 - Double(round)))
        }
        var index = SegmentIndex(first: 0, bytes: 1 << 20)
        for entry in entries { index.add(entry) }
        #expect(index.stretches.count <= 3 + SegmentIndex.turnLimit)
        // The newest time still stands before the oldest that came after it.
        let newest = try #require(index.stretches.dropLast().map(\.latest).max())
        #expect(newest.inSeconds == 1499)
        #expect(index.stretches.last?.earliest.inSeconds == 1)
    }
}

extension CommitTime {
    fileprivate var inSeconds: Double { Double(microseconds) / 1e6 }
}
