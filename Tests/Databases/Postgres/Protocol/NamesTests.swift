import Model
import Testing

@testable import Postgres

/// Positions, segment sizes and file names.
@Suite struct NamesTests {
    @Test(arguments: [
        ("0/0", 0), ("0/3000148", 0x300_0148), ("A/1", 0xA_0000_0001),
        ("FFFFFFFF/FFFFFFFF", UInt64.max), ("16/B374D848", 0x16_B374_D848),
    ])
    func `positions are written as Postgres writes them`(_ text: String, _ lsn: UInt64) {
        #expect(LSN.text(lsn) == text)
        #expect(LSN.parse(text) == lsn)
    }

    @Test func `small letters and leading zeros are read`() {
        #expect(LSN.parse("16/b374d848") == 0x16_B374_D848)
        #expect(LSN.parse("00000000/03000148") == 0x300_0148)
    }

    @Test(arguments: [
        "", "/", "0", "0/", "/0", "0/1/2", "0/123456789", "123456789/0", "0/G", "-1/0", "0 /0",
        "0/+1", " 0/1", "0/1 ", "0x1/0", "０/0",
    ])
    func `other texts are no positions`(_ text: String) {
        #expect(LSN.parse(text) == nil)
    }

    @Test func `segment sizes are powers of two from 1 MiB to 1 GiB`() {
        for shift in 0..<64 {
            #expect((WalSegmentSize(bytes: 1 << shift) != nil) == (20...30).contains(shift))
        }
        #expect(WalSegmentSize(bytes: (16 << 20) + 1) == nil)
        #expect(WalSegmentSize.standard.bytes == 16 << 20)
        #expect(WalSegmentSize.standard.start(of: 0x2FF_FFFF) == 0x200_0000)
    }

    @Test func `the same place has other names under other segment sizes`() throws {
        let place: UInt64 = 0x12_3456_7890
        let names: [(UInt64, String)] = [
            (1 << 20, "000000030000001200000345"), (16 << 20, "000000030000001200000034"),
            (64 << 20, "00000003000000120000000D"), (1 << 30, "000000030000001200000000"),
        ]
        for (bytes, name) in names {
            let size = try #require(WalSegmentSize(bytes: bytes))
            let file = WalFileName(timeline: 3, holding: place, size: size)
            #expect(file.text(size: size) == name)
            #expect(WalFileName(name, size: size) == file)
        }
    }

    @Test func `history and partial files are known by their names`() {
        let size = WalSegmentSize.standard
        let cases: [(String, WalFileName)] = [
            ("00000002.history", .history(timeline: 2)),
            ("FFFFFFFF.history", .history(timeline: .max)),
            ("00000001000000010000000A.partial", .partial(timeline: 1, number: 0x10A)),
            ("00000001000000010000000A", .segment(timeline: 1, number: 0x10A)),
        ]
        for (text, name) in cases {
            #expect(WalFileName(text, size: size) == name)
            #expect(name.text(size: size) == text)
        }
    }

    @Test(arguments: [
        "", "00000001", "00000001000000010000000", "00000001000000010000000a",
        "000000010000000100000100", "00000001000000010000000A.lz4",
        "000000010000000000000003.00000028.backup", "0000000g.history", "000000002.history",
        "00000001000000010000000A.partiaL", "xlogtemp.123",
    ])
    func `other files are no WAL`(_ name: String) {
        #expect(WalFileName(name, size: .standard) == nil)
    }

    @Test func `timelines are decimal numbers`() {
        #expect(TimelineID(postgres: 4_294_967_295).name == "4294967295")
        #expect(TimelineID("1").postgresNumber == 1)
        for name in ["", "0", "01", "+1", "1a", "4294967296", "-1"] {
            #expect(TimelineID(name).postgresNumber == nil, "\(name)")
        }
    }

    @Test(arguments: [UInt64(1) << 20, 16 << 20, 1 << 30])
    func `the style's segment names come back as the ranges they were made of`(_ bytes: UInt64) {
        let style = WalPositionStyle(segmentBytes: bytes)
        #expect(style.folder == "wal")
        #expect(style.scheme == "lsn")
        #expect(style.text(0x300_0148) == "0/3000148")
        #expect(style.parse("0/3000148") == 0x300_0148)
        let timeline = TimelineID("11")
        for number: UInt64 in [1, 3, 0xFF, 0x100, 0x1234] {
            let range = PositionRange(
                timeline: timeline, first: number * bytes, last: (number + 1) * bytes)
            let name = style.segmentName(range)
            #expect(name.hasPrefix("0000000B") && name.utf8.count == 24)
            #expect(style.parseSegmentName(name, timeline: timeline) == range)
            #expect(style.parseSegmentName(name, timeline: TimelineID("1")) == nil)
            #expect(style.parseSegmentName(name + ".partial", timeline: timeline) == nil)
            // The open segment goes by the same name.
            let open = PositionRange(timeline: timeline, first: range.first, last: range.first + 9)
            #expect(style.segmentName(open) == name)
        }
        #expect(style.parseSegmentName("0000000B.history", timeline: timeline) == nil)
        #expect(
            style.parseSegmentName("0000000BFFFFFFFF" + "00000FFF", timeline: timeline)?.last == nil
        )
    }
}
