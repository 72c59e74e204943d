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

    /// Feeds everything in pieces whose sizes `next` gives.
    static func scan(
        _ fixture: WalFixture, _ scanner: inout WalScanner, by next: () -> Int
    ) throws -> [HistoryEntry] {
        var entries: [HistoryEntry] = []
        var offset = 0
        while offset < fixture.bytes.count {
            let piece = min(next(), fixture.bytes.count - offset)
            let at = fixture.start + UInt64(offset)
            try scanner.feed(fixture.bytes.span.bytes.extracting(offset..<offset + piece), at: at) {
                (entry: HistoryEntry) throws(TidemarkError) in entries.append(entry)
            }
            offset += piece
        }
        return entries
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
            let entries = try Self.scan(fixture, &scanner) { fixture.bytes.count }
            Self.compare(entries, with: fixture.judged)
            #expect(scanner.lastRecordStart == fixture.records.last)
            #expect(scanner.end == WalEnd(position: fixture.endOfWal, sign: .zeros))
            #expect(scanner.lastRecordEnd == fixture.endOfWal)
            #expect(scanner.majorVersion == 15)
        }
    }
}
