import Model
import Testing

@testable import Postgres

/// The scanner against `pg_waldump`, on the WAL of a real server.
@Suite struct WalScannerTests {
    static let fixtures = ["plain", "overwritten", "promoted"]

    static func fixture(_ name: String) -> WalFixture {
        switch name {
        case "plain": .plain
        case "overwritten": .overwritten
        default: .promoted
        }
    }

    static func compare(_ entries: [HistoryEntry], with judged: [JudgedEntry]) {
        #expect(entries.count == judged.count)
        for (entry, judge) in zip(entries, judged) {
            #expect(entry.event == judge.event)
            #expect(entry.first == judge.first)
            if let time = judge.time { #expect(entry.time == time) }
        }
    }

    @Test(arguments: fixtures)
    func `the entries are pg_waldump's`(_ name: String) throws {
        let fixture = Self.fixture(name)
        for checks in [WalScanner.Checks.everyRecord, .interpretedRecords] {
            var scanner = try fixture.scanner(checks: checks)
            let entries = try scanner.takeAll(fixture.bytes)
            Self.compare(entries, with: fixture.judged)
            #expect(scanner.lastRecordStart == fixture.records.last)
            #expect(scanner.lastRecordEnd == fixture.endOfWal)
            #expect(scanner.end == WalEnd(position: fixture.endOfWal, sign: .zeros))
            #expect(scanner.majorVersion == 15)
        }
    }

    @Test(arguments: fixtures)
    func `every record starts where pg_waldump says and ends where the next may start`(
        _ name: String
    ) throws {
        let fixture = Self.fixture(name)
        var scanner = try fixture.scanner(checks: .interpretedRecords)
        var places: [WalRecordPlace] = []
        // No record is shorter than 24 bytes, so pieces of eight let none slip by.
        for offset in stride(from: 0, to: fixture.bytes.count, by: 8) {
            let piece = fixture.bytes.span.bytes.extracting(offset..<offset + 8)
            try scanner.feed(piece, at: scanner.position) { _ in }
            if scanner.last != places.last ?? .none { places.append(scanner.last) }
        }
        #expect(places.map(\.start) == fixture.records)
        for (place, next) in zip(places, fixture.records.dropFirst()) {
            let gap = next - place.end
            let isHeader = place.end % 8192 == 0 && (gap == 24 || gap == 40)
            // The record that a crash cut off lies between two that are whole.
            let isLostRecord = name == "overwritten" && next % 8192 == 40
            #expect(gap == 0 || isHeader || isLostRecord, "\(LSN.text(place.start))")
        }
    }

    @Test(arguments: fixtures, [1, 2, 3, 5, 7, 13])
    func `pieces of any size give the same entries`(_ name: String, _ size: Int) throws {
        let fixture = Self.fixture(name)
        // Byte by byte is slow in a debug build: the first 200 KiB, then big pieces.
        var scanner = try fixture.scanner()
        let small = Array(fixture.bytes[0..<200 << 10])
        var entries = try scanner.takeAll(small, piece: size)
        entries += try scanner.takeAll(fixture.bytes, from: 200 << 10, piece: 99_991)
        Self.compare(entries, with: fixture.judged)
        #expect(scanner.lastRecordEnd == fixture.endOfWal)
    }

    @Test(arguments: fixtures, 1...8)
    func `random pieces give the same entries`(_ name: String, _ seed: UInt64) throws {
        let fixture = Self.fixture(name)
        var random = SplitMix(seed)
        var scanner = try fixture.scanner()
        var entries: [HistoryEntry] = []
        var offset = 0
        while offset < fixture.bytes.count {
            let most = UInt64(1) << (random.next() % 17)
            let count = min(Int(1 + random.next() % most), fixture.bytes.count - offset)
            try scanner.feed(
                fixture.bytes.span.bytes.extracting(offset..<offset + count), at: scanner.position
            ) { (entry: HistoryEntry) throws(TidemarkError) in entries.append(entry) }
            offset += count
        }
        Self.compare(entries, with: fixture.judged)
        #expect(scanner.lastRecordStart == fixture.records.last, "seed \(seed)")
    }

    @Test func `a scan may start at every record and at every page`() throws {
        let fixture = WalFixture.plain
        // Pages behind a segment switch hold nothing.
        let pages = stride(from: fixture.start, to: fixture.endOfWal, by: 8192).filter {
            fixture.bytes[Int($0 - fixture.start)] != 0
        }
        // Records are many: take every ninetieth.
        let records = fixture.records.enumerated().filter { $0.offset % 90 == 0 }.map(\.element)
        for start in pages + records {
            var scanner = try WalScanner(
                startAt: start, segmentBytes: WalFixture.segmentBytes, timeline: 1, tail: .mayFollow
            )
            let entries = try scanner.takeAll(fixture.bytes, from: start - fixture.start)
            let expected = fixture.judged.filter { $0.first >= start }
            Self.compare(entries, with: expected)
        }
    }

    @Test func `the promoted segment holds pages of all its ancestors`() throws {
        let fixture = WalFixture.promoted
        let history = try TimelineHistory(
            timeline: 3, content: WalFixture.read("promoted/00000003.history"))
        var scanner = try WalScanner(
            startAt: fixture.start, segmentBytes: WalFixture.segmentBytes, history: history,
            tail: .mayFollow)
        _ = try scanner.takeAll(fixture.bytes)
        #expect(scanner.pageTimeline == 3)
    }
}

/// A small seeded generator (Steele, Lea, Flood: SplitMix64).
struct SplitMix {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
