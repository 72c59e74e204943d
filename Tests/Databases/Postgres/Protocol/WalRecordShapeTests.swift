import Model
import Testing

@testable import Postgres

/// Records and pages that a real server makes rarely, written by `WalBuilder`.
@Suite struct WalRecordShapeTests {
    typealias Builder = WalBuilder

    /// Main data of a commit or abort with every optional part that `parts` names.
    static func body(_ time: Int64, _ version: Int, parts: UInt32, prepared: UInt32) -> [UInt8] {
        var data = Builder.little(UInt64(bitPattern: time)) + Builder.little(parts)
        if parts & 0x01 != 0 { data += [UInt8](repeating: 1, count: 8) }
        if parts & 0x02 != 0 { data += list(3, of: 4) }
        if parts & 0x04 != 0 { data += list(2, of: 12) }
        if parts & 0x100 != 0 { data += list(5, of: version >= 18 ? 16 : 12) }
        if parts & 0x08 != 0 { data += list(4, of: 16) }
        if parts & 0x10 != 0 { data += Builder.little(prepared) }
        if parts & 0x80 != 0 { data += Array("gid".utf8) + [0] }
        if parts & 0x20 != 0 { data += [UInt8](repeating: 9, count: 16) }
        return data
    }

    private static func list(_ count: Int, of size: Int) -> [UInt8] {
        Builder.little(UInt32(count)) + [UInt8](repeating: 0xFF, count: count * size)
    }

    @Test(arguments: [13, 14, 15, 16, 17, 18])
    func `commits and aborts are read whatever parts they have`(_ version: Int) throws {
        var builder = Builder()
        builder.magic = Builder.magics[version]!
        var expected: [HistoryEntry] = []
        let optional: [UInt32] =
            [0x01, 0x02, 0x04, 0x08, 0x20, 0x80] + (version >= 15 ? [0x100] : [])
        for choice in 0..<1 << optional.count {
            let parts = optional.enumerated().reduce(UInt32(0)) {
                $0 | (choice >> $1.offset & 1 == 1 ? $1.element : 0)
            }
            for (info, prepared) in [(0x00, false), (0x20, false), (0x30, true), (0x40, true)] {
                let isCommit = info == 0x00 || info == 0x30
                let all = (prepared ? parts | 0x10 : parts) & (isCommit ? .max : ~0x08)
                let time = Int64(choice) * 1000 + 7
                let data = Self.body(time, version, parts: all, prepared: 4_000_000_001)
                let head: [UInt8] =
                    choice % 2 == 0
                    ? [255, UInt8(data.count)]
                    : [253, 1, 0, 252, 1, 2, 3, 4, 254] + Builder.little(UInt32(data.count))
                let place = builder.record(
                    manager: 1, info: UInt8(info | 0x80), transaction: 5, head + data)
                let transaction: UInt64 = prepared ? 4_000_000_001 : 5
                expected.append(
                    HistoryEntry(
                        event: isCommit
                            ? .commit(transaction: transaction) : .abort(transaction: transaction),
                        first: place.start, last: place.end, time: CommitTime(postgres: time)))
            }
        }
        for piece in [Int.max, 1, 11] {
            var scanner = try builder.scanner()
            #expect(try builder.scan(&scanner, piece: piece) == expected)
            #expect(scanner.majorVersion == version)
        }
    }

    @Test(arguments: [8, 16, 24, 32, 40, 48, 56, 64])
    func `a record may be cut by a page at any place`(_ left: Int) throws {
        var builder = Builder()
        builder.fill(leaving: left)
        let commit = builder.commit(77, at: 1)
        builder.fill(leaving: left)
        let point = builder.restorePoint("here", at: 2)
        builder.filler(100)
        #expect(commit.start % 8192 == UInt64(8192 - left))
        let expected = [
            HistoryEntry(
                event: .commit(transaction: 77), first: commit.start, last: commit.end,
                time: CommitTime(postgres: 1)),
            HistoryEntry(
                event: .restorePoint(name: "here"), first: point.start, last: point.end,
                time: CommitTime(postgres: 2)),
        ]
        for checks in [WalScanner.Checks.everyRecord, .interpretedRecords] {
            for cut in stride(from: 0, to: builder.bytes.count, by: 3) {
                var scanner = try builder.scanner(checks: checks)
                var entries = try scanner.takeAll(Array(builder.bytes[..<cut]))
                entries += try scanner.takeAll(builder.bytes, from: UInt64(cut))
                #expect(entries == expected)
                #expect(scanner.lastRecordStart == builder.records.last?.start)
            }
        }
    }

    @Test func `a record that ends with its page ends where the page ends`() throws {
        var builder = Builder()
        builder.fill(leaving: 40)
        let commit = builder.commit(3, at: 1)
        #expect(commit.end % 8192 == 0)
        var scanner = try builder.scanner()
        let entries = try builder.scan(&scanner)
        #expect(entries.first?.last == commit.end)
        #expect(scanner.position == commit.end)
        #expect(scanner.openRecordStart == nil)
        builder.commit(4, at: 2)
        #expect(try builder.scan(&scanner).count == 1)
    }

    @Test func `a record over four segments is passed over, and a scan may start inside it`() throws
    {
        var builder = Builder()
        builder.commit(1, at: 1)
        let big = builder.record(
            manager: 21, info: 0, transaction: 2,
            [254] + Builder.little(UInt32(3_200_000)) + [UInt8](repeating: 7, count: 3_200_000))
        let commit = builder.commit(2, at: 2)
        #expect(big.end - big.start > 3 * builder.segmentBytes)
        var scanner = try builder.scanner()
        #expect(try builder.scan(&scanner, piece: 70_001).count == 2)
        #expect(scanner.lastRecordStart == commit.start)
        for segment in 1...3 {
            var late = try WalScanner(
                startAt: builder.start + UInt64(segment) * builder.segmentBytes,
                segmentBytes: builder.segmentBytes)
            #expect(try builder.scan(&late).map(\.first) == [commit.start])
        }
        // A scan that sees nothing but the inside of the record knows no last record.
        var inside = try WalScanner(
            startAt: builder.start + builder.segmentBytes, segmentBytes: builder.segmentBytes)
        _ = try inside.takeAll(
            Array(builder.bytes[..<Int(2 * builder.segmentBytes)]), from: builder.segmentBytes)
        #expect(inside.lastRecordStart == nil)
    }

    @Test func `nothing counts behind a segment switch, whatever lies there`() throws {
        // A reused file whose end was never overwritten: legal, and seen after crashes.
        for tail in [UInt8(0), 0xD1] {
            var builder = Builder()
            builder.commit(1, at: 1)
            let change = builder.segmentSwitch(tail: tail)
            let commit = builder.commit(2, at: 2)
            #expect(change.end == builder.start + builder.segmentBytes)
            for piece in [Int.max, 1000, 1] {
                var scanner = try builder.scanner()
                #expect(try builder.scan(&scanner, piece: piece).count == 2)
                #expect(scanner.lastRecordStart == commit.start)
            }
            var scanner = try builder.scanner()
            _ = try scanner.takeAll(Array(builder.bytes[..<20_000]))
            #expect(scanner.lastRecordEnd == change.end, "as Postgres counts it")
        }
    }

    @Test(arguments: [8, 16])
    func `a segment that starts with the end of a switch is empty`(_ left: Int) throws {
        var builder = Builder()
        while builder.left > 0, builder.position < builder.start + builder.segmentBytes - 8192 {
            builder.fill(leaving: 0)
        }
        builder.fill(leaving: left)
        let change = builder.segmentSwitch()
        #expect(change.end == builder.start + 2 * builder.segmentBytes)
        let commit = builder.commit(9, at: 9)
        for first in [builder.start, builder.start + builder.segmentBytes] {
            for piece in [Int.max, 5] {
                var scanner = try WalScanner(startAt: first, segmentBytes: builder.segmentBytes)
                let entries = try scanner.takeAll(
                    builder.bytes, from: first - builder.start, piece: piece)
                #expect(entries.map(\.first) == [commit.start])
            }
        }
    }

    @Test func `a switch that ends its segment exactly leaves nothing to pass over`() throws {
        var builder = Builder()
        while builder.position < builder.start + builder.segmentBytes - 8192 {
            builder.fill(leaving: 0)
        }
        builder.fill(leaving: 24)
        builder.segmentSwitch()
        #expect(builder.position == builder.start + builder.segmentBytes)
        builder.commit(1, at: 1)
        var scanner = try builder.scanner()
        #expect(try builder.scan(&scanner).count == 1)
    }

    @Test func `a record lost in a crash is dropped where the server says so`() throws {
        var builder = Builder()
        let before = builder.commit(1, at: 1)
        builder.fill(leaving: 32)
        builder.commit(2, at: 2)
        builder.cut(at: (builder.position / 8192) * 8192)
        builder.page(rest: 0, flags: WalPageHeader.replacesLostRecord)
        builder.record(manager: 0, info: 0xD0, [255, 16] + [UInt8](repeating: 0, count: 16))
        let after = builder.commit(3, at: 3)
        for piece in [Int.max, 1] {
            var scanner = try builder.scanner()
            #expect(
                try builder.scan(&scanner, piece: piece).map(\.first)
                    == [before.start, after.start])
        }
    }
}
