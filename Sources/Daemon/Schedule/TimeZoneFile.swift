import Glibc
import Model

/// Reads the machine's time zone files, without Foundation.
///
/// Format (RFC 8536, TZif): a header of 44 bytes (`TZif`, version, 15 unused bytes, six big-endian
/// 32-bit counts: UT marks, standard marks, leap seconds, changes, types, name bytes), then a data
/// block with 32-bit times. From version 2 on a second header and block with 64-bit times follow,
/// then a footer: newline, a POSIX TZ rule for the time after the last change, newline. Only the
/// second block is used when there is one. A data block is: times of the changes; for each the
/// number of its type (one byte); types of 6 bytes (offset from UTC, daylight mark, name); names;
/// leap seconds; standard and UT marks.
struct TimeZoneFile {
    private let bytes: [UInt8]
    private var position = 0

    /// Nil when the bytes are not such a file.
    static func parse(_ bytes: [UInt8], name: String) -> TimeZoneRules? {
        var file = TimeZoneFile(bytes: bytes)
        guard let first = file.header() else { return nil }
        guard first.version >= UInt8(ascii: "2") else {
            return file.block(first, timeBytes: 4, name: name, hasFooter: false)
        }
        file.position += first.blockBytes(timeBytes: 4)
        guard let second = file.header() else { return nil }
        return file.block(second, timeBytes: 8, name: name, hasFooter: true)
    }

    private struct Header {
        var version: UInt8
        var utMarks, standardMarks, leapSeconds, changes, types, nameBytes: Int

        func blockBytes(timeBytes: Int) -> Int {
            changes * (timeBytes + 1) + types * 6 + nameBytes + leapSeconds * (timeBytes + 4)
                + standardMarks + utMarks
        }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func header() -> Header? {
        guard position + 44 <= bytes.count, bytes[position...].starts(with: Array("TZif".utf8))
        else { return nil }
        let version = bytes[position + 4]
        position += 20
        let counts = (0..<6).map { _ in Int(integer(4)) }
        // The largest real file has some 2,000 changes; more than this is not a zone.
        guard counts.allSatisfy({ (0...100_000).contains($0) }) else { return nil }
        return Header(
            version: version, utMarks: counts[0], standardMarks: counts[1], leapSeconds: counts[2],
            changes: counts[3], types: counts[4], nameBytes: counts[5])
    }

    private mutating func block(
        _ header: Header, timeBytes: Int, name: String, hasFooter: Bool
    ) -> TimeZoneRules? {
        let end = position + header.blockBytes(timeBytes: timeBytes)
        guard end <= bytes.count, header.types > 0 else { return nil }
        let times = (0..<header.changes).map { _ in integer(timeBytes) }
        let kinds = (0..<header.changes).map { _ in Int(integer(1) & 0xFF) }
        let offsets = (0..<header.types).map { _ -> Int in
            defer { position += 2 }
            return Int(integer(4))
        }
        guard kinds.allSatisfy({ $0 < offsets.count }), times == times.sorted(),
            offsets.allSatisfy({ abs($0) < 86_400 })
        else { return nil }
        position = end
        var rule: PosixTimeZone?
        if hasFooter, let text = footer(), !text.isEmpty {
            rule = PosixTimeZone(text)
            if rule == nil { return nil }
        }
        let changes = zip(times, kinds).map { (instant: $0, offset: offsets[$1]) }
        return TimeZoneRules(name: name, changes: changes, firstOffset: offsets[0], rule: rule)
    }

    private func footer() -> String? {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\n") else { return nil }
        let text = bytes[(position + 1)...].prefix { $0 != UInt8(ascii: "\n") }
        return String(validating: text, as: UTF8.self)
    }

    /// A big-endian signed integer of `width` bytes; the caller has checked that they are there.
    private mutating func integer(_ width: Int) -> Int64 {
        var value: Int64 = bytes[position] & 0x80 != 0 && width > 1 ? -1 : 0
        for byte in bytes[position..<(position + width)] { value = value << 8 | Int64(byte) }
        position += width
        return value
    }
}

extension TimeZoneRules {
    /// Larger than any zone file.
    private static let fileLimit = 1 << 20

    /// The zone of this name on this machine; nil when there is none. `UTC` needs no file.
    static func named(
        _ name: String, directory: String = "/usr/share/zoneinfo"
    ) -> TimeZoneRules? {
        if name == "UTC" { return .utc }
        let isSafe = name.utf8.allSatisfy {
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0
                || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0
                || UInt8(ascii: "+")...UInt8(ascii: "9") ~= $0 && $0 != UInt8(ascii: ",")
                || $0 == UInt8(ascii: "_")
        }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard isSafe, parts.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") }) else { return nil }
        guard let bytes = SmallFile.bytes(directory + "/" + name, limit: fileLimit) else {
            return nil
        }
        return TimeZoneFile.parse(bytes, name: name)
    }
}
