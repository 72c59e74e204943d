import Model
import Repository
import TestKit
import Testing

struct HistoryFileTests {
    private static let source = SourceID("ledger")!
    private static let day: Int64 = 20_781

    private static func point(
        _ minute: Int64, _ exposure: Double? = 0.8, _ bytes: UInt64 = 5
    ) -> HistoryPoint {
        HistoryPoint(
            minute: day * 1440 + minute, exposureSeconds: exposure, archivedBytes: bytes)
    }

    @Test func `a day is plain text that anybody reads`() {
        let bytes = HistoryFile.encode([
            Self.point(720, 0.8121, 12345), Self.point(721, nil, 0), Self.point(1439, 0, 1),
        ])
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(
            text.hasPrefix(
                """
                time,exposure_seconds,archived_bytes
                2026-11-24T12:00:00Z,0.813,12345
                2026-11-24T12:01:00Z,,0
                2026-11-24T23:59:00Z,0.000,1
                # sha256 
                """), "\(text)")
    }

    @Test func `what was written is read, a whole day too`() throws {
        let repository = ArchiveRepository(MemoryStore())
        let points = (0..<1440).map { Self.point($0, Double($0) / 8, UInt64.max) }
        try repository.putHistory(Self.source, day: Self.day, points)
        #expect(try repository.history(Self.source, day: Self.day) == points)
        #expect(try repository.history(Self.source, day: Self.day + 1).isEmpty)
        #expect(try repository.historyDays(Self.source) == [Self.day])
        let size = try repository.store.size(Layout.history(Self.source, day: Self.day)) ?? 0
        #expect(size < 80 << 10, "\(size)")
    }

    @Test func `one changed, missing or added byte anywhere is damage`() throws {
        let key = Layout.history(Self.source, day: Self.day)
        let bytes = HistoryFile.encode([Self.point(1), Self.point(2, nil)])
        for place in bytes.indices {
            var changed = bytes
            changed[place] ^= 1
            expectDamage(changed, key)
            expectDamage(Array(bytes[..<place]), key)
        }
        expectDamage(bytes + [10], key)
        expectDamage([], key)
    }

    private func expectDamage(_ bytes: [UInt8], _ key: ObjectKey) {
        let error = #expect(throws: TidemarkError.self) {
            try HistoryFile.decode(bytes, day: Self.day, of: key)
        }
        #expect(error?.code == .archiveDamaged)
        #expect(error?.message == "ledger/history/2026-11-24.csv is damaged")
    }

    @Test func `lines of another day, or out of order, are not believed though the sum is right`() {
        let key = Layout.history(Self.source, day: Self.day)
        expectDamage(HistoryFile.encode([Self.point(2), Self.point(1)]), key)
        expectDamage(HistoryFile.encode([Self.point(1), Self.point(1)]), key)
        expectDamage(HistoryFile.encode([Self.point(1440)]), key)
    }

    @Test func `what is too old goes, what was set aside with it, and nothing else`() throws {
        let store = MemoryStore()
        let repository = ArchiveRepository(store)
        for day in Self.day - 3...Self.day {
            try repository.putHistory(Self.source, day: day, [])
        }
        let place = try repository.setAsideHistory(Self.source, day: Self.day - 3)
        #expect(place.path == "ledger/history/2026-11-21.csv.damaged")
        let stranger = ObjectKey("ledger/history/0notes.txt")
        try store.put(stranger, [1], .create)
        try repository.expireHistory(Self.source, before: Self.day - 1)
        #expect(
            try store.list("ledger/").map(\.key.path) == [
                "ledger/history/0notes.txt", "ledger/history/2026-11-23.csv",
                "ledger/history/2026-11-24.csv",
            ])
    }
}
