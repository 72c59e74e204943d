/// The names of the files in `pg_wal`, as `XLogFileName` and its neighbours make them
/// (src/include/access/xlog_internal.h).
///
/// A segment is named by its timeline and its number, in three groups of eight hex digits:
/// timeline, number divided by the segments per 4 GiB, remainder. So the same name means another
/// place when the segment size differs. `X.partial` is the unfinished last segment of a left
/// timeline.
package enum WalFileName: Hashable, Sendable {
    case segment(timeline: UInt32, number: UInt64)
    case partial(timeline: UInt32, number: UInt64)
    case history(timeline: UInt32)

    /// Nil for any other file, and for a number that this segment size cannot have.
    package init?(_ name: String, size: WalSegmentSize) {
        let bytes = Array(name.utf8)
        if bytes.count == 16, name.hasSuffix(".history"), let timeline = Self.hex(bytes[0..<8]) {
            self = .history(timeline: timeline)
            return
        }
        guard bytes.count == 24 || (bytes.count == 32 && name.hasSuffix(".partial")),
            let timeline = Self.hex(bytes[0..<8]), let high = Self.hex(bytes[8..<16]),
            let low = Self.hex(bytes[16..<24]), UInt64(low) < size.perName
        else { return nil }
        let number = UInt64(high) * size.perName + UInt64(low)
        self =
            bytes.count == 24
            ? .segment(timeline: timeline, number: number)
            : .partial(timeline: timeline, number: number)
    }

    /// The name of the segment of `timeline` that holds the byte at `lsn`.
    package init(timeline: UInt32, holding lsn: UInt64, size: WalSegmentSize) {
        self = .segment(timeline: timeline, number: size.number(of: lsn))
    }

    package func text(size: WalSegmentSize) -> String {
        switch self {
        case .segment(let timeline, let number):
            Self.hex(timeline) + Self.hex(UInt32(truncatingIfNeeded: number / size.perName))
                + Self.hex(UInt32(number % size.perName))
        case .partial(let timeline, let number):
            WalFileName.segment(timeline: timeline, number: number).text(size: size) + ".partial"
        case .history(let timeline): Self.hex(timeline) + ".history"
        }
    }

    private static func hex(_ value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// Capitals only: the server takes no others.
    private static func hex(_ digits: ArraySlice<UInt8>) -> UInt32? {
        var value: UInt32 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                value = value << 4 | UInt32(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "A")...UInt8(ascii: "F"):
                value = value << 4 | UInt32(digit - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        return value
    }
}
