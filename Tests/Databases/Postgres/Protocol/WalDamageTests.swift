import Model
import Testing

@testable import Postgres

/// What the scanner says of WAL that is not what it should be.
@Suite struct WalDamageTests {
    /// Three commits and a record over two pages, on four pages.
    static func sound() -> WalBuilder {
        var builder = WalBuilder()
        builder.commit(1, at: 1)
        builder.filler(200)
        builder.record(
            manager: 10, info: 0, transaction: 2,
            [254] + WalBuilder.little(UInt32(12_000)) + [UInt8](repeating: 3, count: 12_000))
        builder.commit(2, at: 2)
        builder.fill(leaving: 16)
        builder.commit(3, at: 3)
        return builder
    }

    /// The message of the error that a scan throws; nil when it throws none.
    static func complaint(
        _ bytes: [UInt8], _ scanner: WalScanner, piece: Int = .max
    ) -> String? {
        var scanner = scanner
        do {
            _ = try scanner.takeAll(bytes, piece: piece)
            return nil
        } catch let error as TidemarkError {
            #expect(error.code == .archiveDamaged)
            #expect(!error.remedy.isEmpty)
            return error.message
        } catch {
            return "\(error)"
        }
    }

    @Test func `any flipped bit is noticed when every record is checked`() throws {
        let builder = Self.sound()
        #expect(Self.complaint(builder.bytes, try builder.scanner()) == nil)
        for offset in builder.bytes.indices where !Self.isUnused(offset, builder) {
            // Every bit of headers and small records; one bit of each byte of the long record.
            let bits = offset < 600 || offset > 12_500 ? 0..<8 : offset % 8..<offset % 8 + 1
            for bit in bits where !Self.isHarmless(offset, bit) {
                var bytes = builder.bytes
                bytes[offset] ^= 1 << UInt8(bit)
                #expect(
                    Self.complaint(bytes, try builder.scanner()) != nil
                        || Self.isUnfinished(bytes, builder), "bit \(bit) of byte \(offset)")
            }
        }
    }

    /// A longer length in the last record is not wrong yet: more bytes may come.
    private static func isUnfinished(_ bytes: [UInt8], _ builder: WalBuilder) -> Bool {
        guard var scanner = try? builder.scanner() else { return false }
        _ = try? scanner.takeAll(bytes)
        return scanner.openRecordStart != nil
    }

    /// Bytes that mean nothing: the last four of a page header's 24, and padding behind records.
    private static func isUnused(_ offset: Int, _ builder: WalBuilder) -> Bool {
        (20..<24).contains(offset % 8192) || builder.padding.contains(offset)
    }

    /// Bit 2 of a page's flags says that backup blocks may be dropped: nothing to us. Bit 3 speaks
    /// of a lost record, which may lie before the first page.
    private static func isHarmless(_ offset: Int, _ bit: Int) -> Bool {
        offset % 8192 == 2 && bit == 2 || offset == 2 && bit == 3
    }

    @Test func `a flipped bit in a commit is noticed without checking every record`() throws {
        let builder = Self.sound()
        for record in builder.records where record.end - record.start < 80 {
            guard record.start / 8192 == (record.end - 1) / 8192 else { continue }
            let offset = Int(record.start - builder.start)
            guard builder.bytes[offset + 17] == 1 else { continue }
            for place in offset..<offset + 34 where place != offset + 17 && place != offset + 16 {
                var bytes = builder.bytes
                bytes[place] ^= 0x10
                let scanner = try builder.scanner(checks: .interpretedRecords)
                #expect(Self.complaint(bytes, scanner) != nil, "byte \(place)")
            }
        }
    }

    @Test func `the complaint names the place, what was expected and what was found`() throws {
        let builder = Self.sound()
        var scanner = try builder.scanner()
        _ = try builder.scan(&scanner)
        let second = Int(builder.records[1].start - builder.start)
        func complaint(_ offset: Int, _ byte: UInt8) throws -> String? {
            var bytes = builder.bytes
            bytes[offset] = byte
            return Self.complaint(bytes, try builder.scanner(), piece: 7)
        }
        #expect(
            try complaint(second + 8, 0x30)
                == "WAL is damaged at 0/3000050: expected a link to the record at 0/3000028, "
                + "found 0/3000030")
        #expect(
            try complaint(second, 3)
                == "WAL is damaged at 0/3000050: expected a record of at least 24 bytes, "
                + "found a length of 3")
        #expect(
            try complaint(second + 17, 99)
                == "WAL is damaged at 0/3000050: expected a record of a known resource manager, "
                + "found number 99")
        #expect(
            try complaint(8192 + 9, 0x40)
                == "WAL is damaged at 0/3002000: expected the page of this address, "
                + "found the page of 0/3004000")
        #expect(
            try complaint(8192, 0x11)
                == "WAL is damaged at 0/3002000: expected a page of PostgreSQL 13 to 18, "
                + "found the page magic 0xD111")
        #expect(
            try complaint(8192, 0x13)
                == "WAL is damaged at 0/3002000: expected the page magic 0xD110, found 0xD113")
        #expect(
            try complaint(8192 + 4, 2)
                == "WAL is damaged at 0/3002000: expected a page of timeline 1, found timeline 2")
        #expect(
            try complaint(8192 + 17, 0)?.contains("more bytes of the record at 0/3000118") == true)
        #expect(
            try complaint(24, 0)
                == "WAL is damaged at 0/3000000: expected system identifier "
                + "7711588932372471912, found 7711588932372471808")
        #expect(
            try complaint(34, 0x20)
                == "WAL is damaged at 0/3000000: expected segments of 1048576 bytes, found 2097152")
        #expect(
            try complaint(37, 0x40)
                == "WAL is damaged at 0/3000000: expected WAL pages of 8192 bytes, found 16384")
    }

    @Test func `bytes of another place are refused`() throws {
        let builder = Self.sound()
        var scanner = try builder.scanner()
        _ = try scanner.takeAll(Array(builder.bytes[..<100]))
        let rest = builder.bytes
        for wrong in [builder.start, builder.start + 99, builder.start + 101] {
            var copy = scanner
            #expect(throws: TidemarkError.self) {
                try copy.feed(rest.span.bytes, at: wrong) { _ in }
            }
        }
    }

    @Test func `a page of a timeline outside the history is refused`() throws {
        let history = try TimelineHistory(timeline: 4, content: Array("1\t0/1\t\n2\t0/2\t\n".utf8))
        func complaint(_ timelines: [UInt32]) throws -> String? {
            var builder = WalBuilder()
            for timeline in timelines {
                builder.timeline = timeline
                builder.fill(leaving: 0)
            }
            let scanner = try WalScanner(
                startAt: builder.start, segmentBytes: builder.segmentBytes, history: history)
            return Self.complaint(builder.bytes, scanner)
        }
        #expect(try complaint([1, 1, 2, 4, 4]) == nil)
        #expect(try complaint([1, 3])?.hasSuffix("timeline 1 to 4, found timeline 3") == true)
        #expect(try complaint([2, 1])?.hasSuffix("timeline 2 to 4, found timeline 1") == true)
        #expect(try complaint([5])?.hasSuffix("timeline 1 to 4, found timeline 5") == true)
        #expect(try complaint([0])?.hasSuffix("timeline 1 to 4, found timeline 0") == true)
    }

    @Test func `zeros are damage in a stream and the end in a file`() throws {
        var builder = Self.sound()
        let end = builder.position
        builder.raw([UInt8](repeating: 0, count: builder.left + 3 * 8192))
        #expect(
            Self.complaint(builder.bytes, try builder.scanner())?.hasSuffix("a length of 0") == true
        )
        for piece in [Int.max, 1] {
            var scanner = try builder.scanner(tail: .mayFollow)
            #expect(try builder.scan(&scanner, piece: piece).count == 3)
            #expect(scanner.end == WalEnd(position: end, sign: .zeros))
        }
    }

    @Test func `zeros instead of a page end the file at the record they cut`() throws {
        var builder = Self.sound()
        builder.fill(leaving: 0)
        let boundary = builder.position
        var empty = builder
        empty.raw([UInt8](repeating: 0, count: 8192))
        var scanner = try empty.scanner(tail: .mayFollow)
        _ = try empty.scan(&scanner, piece: 100)
        #expect(scanner.end == WalEnd(position: boundary, sign: .zeros))
        #expect(Self.complaint(empty.bytes, try empty.scanner()) != nil)

        builder.fill(leaving: 16)
        let cut = builder.position
        builder.commit(8, at: 8)
        builder.cut(at: cut + 16)
        builder.raw([UInt8](repeating: 0, count: 8192))
        scanner = try builder.scanner(tail: .mayFollow)
        _ = try builder.scan(&scanner, piece: 100)
        #expect(scanner.end == WalEnd(position: cut, sign: .zeros))
        #expect(scanner.lastRecordEnd == cut)
    }

    @Test func `pages of a reused file end it, in every position of the cut`() throws {
        var builder = Self.sound()
        builder.fill(leaving: 0)
        let end = builder.position
        var older = WalBuilder(start: builder.start - 5 * builder.segmentBytes)
        while older.bytes.count < builder.bytes.count + 3 * 8192 { older.commit(1, at: 1) }
        builder.raw(Array(older.bytes[builder.bytes.count..<builder.bytes.count + 2 * 8192]))
        #expect(
            Self.complaint(builder.bytes, try builder.scanner())?.contains("the page of") == true)
        var scanner = try builder.scanner(tail: .mayFollow)
        _ = try builder.scan(&scanner, piece: 333)
        #expect(scanner.end == WalEnd(position: end, sign: .recycledPage))
        #expect(scanner.lastRecordEnd == end)
    }

    @Test func `a page of another place is damage even in a file`() throws {
        for address: UInt64 in [0x300_0000, 0x301_4000, 0x400_2000, 0x200_4000] {
            var builder = WalBuilder()
            builder.fill(leaving: 0)
            builder.page(rest: 0, address: address)
            let scanner = try builder.scanner(tail: .mayFollow)
            #expect(Self.complaint(builder.bytes, scanner) != nil, "\(LSN.text(address))")
        }
    }

    @Test func `a scan starts where a record may start, and nowhere else`() throws {
        for start: UInt64 in [0x300_0001, 0x300_0008, 0x300_0020, 0x300_2010] {
            #expect(throws: TidemarkError.self) {
                try WalScanner(startAt: start, segmentBytes: 1 << 20)
            }
        }
        #expect(throws: TidemarkError.self) { try WalScanner(startAt: 0, segmentBytes: 1000) }
        for start: UInt64 in [0x300_0000, 0x300_0028, 0x300_2018] {
            _ = try WalScanner(startAt: start, segmentBytes: 1 << 20)
        }
    }

    @Test func `a commit that makes no sense is damage although its checksum is right`() throws {
        let bodies: [(UInt8, [UInt8])] = [
            (0x00, [255, 4, 1, 2, 3, 4]),
            (0x00, [3, 0, 0, 0]),
            (0x80, [255, 8] + [UInt8](repeating: 0, count: 8)),
            (0xB0, [255, 12] + [UInt8](repeating: 0, count: 12)),
            (0x00, []),
        ]
        for (info, body) in bodies {
            var builder = WalBuilder()
            builder.record(manager: 1, info: info, transaction: 1, body)
            let complaint = Self.complaint(
                builder.bytes, try builder.scanner(checks: .interpretedRecords))
            #expect(complaint?.contains("one that cannot be read") == true)
        }
    }
}
