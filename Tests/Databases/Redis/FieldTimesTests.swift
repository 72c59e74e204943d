import Testing

@testable import Redis

struct FieldTimesTests {
    /// Element by element, each with its length behind it, as `listpack.c` writes them.
    private static func pack(_ elements: [[UInt8]]) -> [UInt8] {
        let body = elements.flatMap { $0 }
        let size = 6 + body.count + 1
        let header = [
            UInt8(size & 0xff), UInt8(size >> 8 & 0xff), UInt8(size >> 16), 0,
            UInt8(elements.count), 0,
        ]
        return header + body + [0xff]
    }

    private static func time(_ milliseconds: UInt64) -> [UInt8] {
        [0xf4] + (0..<8).map { UInt8(truncatingIfNeeded: milliseconds >> ($0 * 8)) } + [9]
    }

    /// Texts and numbers of every encoding.
    private static let fillers: [[UInt8]] = [
        [0x05, 1], [0x83] + Array("abc".utf8) + [4], [0xc1, 0x02, 2],
        [0xe0, 200] + [UInt8](repeating: 0xff, count: 200) + [0x01, 0xca],
        [0xf1, 0, 1, 3], [0xf2, 0, 0, 1, 4], [0xf3, 0, 0, 0, 1, 5],
        [0xf0, 0, 0x50, 0, 0] + [UInt8](repeating: 0xf4, count: 0x5000) + [1, 0x20, 0x85],
        [0xf4, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    ]

    @Test func `times are moved or taken away, and nothing else is touched`() {
        func hash(_ times: (Int) -> [UInt8]) -> [UInt8] {
            Self.pack(
                Self.fillers.indices.flatMap { index in
                    [Self.fillers[index], Self.fillers.reversed()[index], times(index)]
                })
        }
        let plain = hash { $0 % 2 == 0 ? Self.time(1_800_000_000_000 + UInt64($0)) : [0, 1] }
        #expect(FieldTimes.changed(plain, .none) == plain)
        let shifted = hash { $0 % 2 == 0 ? Self.time(1_800_000_000_500 + UInt64($0)) : [0, 1] }
        #expect(FieldTimes.changed(plain, .shift(500)) == shifted)
        let persisted = hash { $0 % 2 == 0 ? Self.time(0) : [0, 1] }
        #expect(FieldTimes.changed(plain, .persist) == persisted)
    }

    @Test func `what is no such listpack is refused`() {
        let good = Self.pack([[0x05, 1], [0x06, 1], Self.time(1_800_000_000_000)])
        #expect(FieldTimes.changed(good, .shift(1)) != nil)
        #expect(FieldTimes.changed(Self.pack([[0x05, 1], [0x06, 1]]), .shift(1)) == nil)
        // A time that is a text.
        let text = Self.pack([[5, 1], [6, 1], [0x81, 0x41, 2]])
        #expect(FieldTimes.changed(text, .shift(1)) == nil)
        for count in good.indices {
            #expect(FieldTimes.changed(Array(good[..<count]), .none) == nil)
        }
        var broken = good
        broken[6] = 0xf0
        #expect(FieldTimes.changed(broken, .none) == nil)
    }
}
