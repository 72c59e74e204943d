import Model
import Testing

@testable import Redis

/// Hashes whose fields expire, as Valkey 9 saves them (`rdb.c`, RDB_TYPE_HASH_2): field, value, and
/// eight bytes of milliseconds, or of ones where that field never expires.
struct FieldMomentTests {
    private static let moment: UInt64 = 1_800_000_000_000

    private static func number(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    private static func string(_ text: String) -> [UInt8] { [UInt8(text.count)] + Array(text.utf8) }

    /// One hash between two keys that expire; nil is the type of a plain hash.
    private static func rdb(_ times: [UInt64]?, key: UInt64?) -> [UInt8] {
        var bytes = Array("VALKEY080".utf8) + [0xfa] + string("valkey-ver") + string("9.1.2")
        // Two stretches of slots that a node takes over: a job, then first and last of each.
        bytes += [0xf3] + string("job") + [2, 0, 5, 0x40, 0x64, 0x43, 0xe8]
        bytes += [0xfe, 0, 0xfb, 3, 2]
        let expiry = key.map { [0xfc] + number($0) } ?? []
        bytes += expiry + [0] + string("a") + [0xc0, 5]
        bytes += [times == nil ? 4 : 22] + string("h") + [4]
        let values: [[UInt8]] = [
            string("v"), [0xc1, 0x10, 0x27],
            // Ten times `a`, compressed.
            [0xc3, 5, 10, 0, 0x61, 0xe0, 0, 0], string(""),
        ]
        for (place, value) in values.enumerated() {
            bytes += string("field-\(place)") + value
            if let times { bytes += number(times[place]) }
        }
        bytes += expiry + [0] + string("b") + string("w") + [0xff]
        var sum = CRC64()
        sum.update(bytes.span.bytes)
        return bytes + number(sum.value)
    }

    @Test(arguments: [1, 2, 3, 7, 11, 10_000])
    func `their times are moved or taken away, and a field that stays for ever stays`(
        size: Int
    ) throws {
        let (moment, never) = (Self.moment, UInt64.max)
        // 0 is a time like any other, long past.
        let saved = Self.rdb([moment, never, moment + 255, 0], key: moment)
        #expect(try filteredRDB(saved, .shift(0), size) == saved)
        let moved = try filteredRDB(saved, .shift(1000), size)
        #expect(moved == Self.rdb([moment + 1000, never, moment + 1255, 1000], key: moment + 1000))
        #expect(try filteredRDB(saved, .persist, size) == Self.rdb(nil, key: nil))
    }
}
