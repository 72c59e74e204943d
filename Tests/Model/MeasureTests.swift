import FoundationEssentials
import Model
import Testing

/// Byte counts, monotonic times, positions.
@Suite struct MeasureTests {
    @Test(arguments: [
        (UInt64(0), "0 B"), (1, "1 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"),
        (1_048_575, "1.0 MiB"), (1 << 20, "1.0 MiB"), (16 << 20, "16.0 MiB"),
        (5 << 30, "5.0 GiB"), (3 << 40, "3.0 TiB"), (.max, "16384.0 PiB"),
    ])
    func `a byte count prints in the unit that fits`(_ bytes: UInt64, _ text: String) {
        #expect(ByteCount(bytes).description == text)
    }

    @Test func `byte counts compare, and are plain numbers in JSON`() throws {
        #expect(ByteCount.mebibytes(16).bytes == 16_777_216)
        #expect(ByteCount(1) < ByteCount(2))
        let json = try JSONEncoder().encode([ByteCount(.max)])
        #expect(String(decoding: json, as: UTF8.self) == "[18446744073709551615]")
        #expect(try JSONDecoder().decode([ByteCount].self, from: json) == [ByteCount(.max)])
    }

    @Test func `monotonic times differ in both directions and never leave their range`() {
        let start = MonotonicTime(nanoseconds: 5_000_000_000)
        #expect(start.advanced(bySeconds: 2.5).seconds(since: start) == 2.5)
        #expect(start.seconds(since: start.advanced(bySeconds: 2.5)) == -2.5)
        #expect(start.advanced(bySeconds: -2).nanoseconds == 3_000_000_000)
        #expect(start.advanced(bySeconds: -6).nanoseconds == 0)
        #expect(start.advanced(bySeconds: -.infinity).nanoseconds == 0)
        #expect(start.advanced(bySeconds: .infinity).nanoseconds == .max)
        #expect(start.advanced(bySeconds: 1e12).nanoseconds == .max)
        #expect(start < start.advanced(bySeconds: 1e-9))
    }

    @Test func `a range is half open and belongs to one timeline`() {
        let one = TimelineID("1")
        let range = PositionRange(timeline: one, first: 10, last: 20)
        #expect(range.length == 10 && !range.isEmpty)
        #expect(range.contains(Position(timeline: one, ordinal: 10)))
        #expect(range.contains(Position(timeline: one, ordinal: 19)))
        #expect(!range.contains(Position(timeline: one, ordinal: 20)))
        #expect(!range.contains(Position(timeline: TimelineID("2"), ordinal: 15)))
        #expect(PositionRange(timeline: one, first: 10, last: 10).isEmpty)
    }

    @Test func `a range that runs backwards stops the program`() async {
        await #expect(processExitsWith: .failure) {
            _ = PositionRange(timeline: TimelineID("1"), first: 2, last: 1)
        }
    }

    @Test func `the default file text of a position sorts as the position`() {
        struct Style: PositionStyle {
            var folder: String { "wal" }
            var scheme: String { "lsn" }
            func text(_ ordinal: UInt64) -> String { String(ordinal) }
            func parse(_ text: String) -> UInt64? { UInt64(text) }
            func segmentName(_ range: PositionRange) -> String { fileText(range.first) }
            func parseSegmentName(_ name: String, timeline: TimelineID) -> PositionRange? { nil }
        }
        let numbers: [UInt64] = [0, 9, 10, 1 << 32, .max]
        let texts = numbers.map { Style().fileText($0) }
        #expect(texts == texts.sorted())
        #expect(texts.allSatisfy { $0.count == 20 })
    }
}
