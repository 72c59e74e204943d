/// An instant in UTC with microsecond resolution, as databases stamp their commits.
///
/// Text form is ISO 8601 with milliseconds (`2026-11-22T12:00:00.120Z`); parsing takes up to six
/// fraction digits and `Z` or a numeric offset. No Foundation: civil-date arithmetic after
/// H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
package struct CommitTime: Hashable, Sendable, Comparable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    package let microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    package static func < (a: CommitTime, b: CommitTime) -> Bool {
        a.microseconds < b.microseconds
    }

    /// Difference in seconds; positive when `self` is later.
    package func seconds(since other: CommitTime) -> Double {
        // Damaged bytes can hold any number: no difference of two of them may trap.
        let (difference, overflows) = microseconds.subtractingReportingOverflow(other.microseconds)
        return overflows
            ? Double(microseconds) / 1e6 - Double(other.microseconds) / 1e6
            : Double(difference) / 1e6
    }

    package func advanced(bySeconds seconds: Double) -> CommitTime {
        CommitTime(microseconds: microseconds + Int64((seconds * 1e6).rounded()))
    }
}

extension CommitTime {
    /// Microseconds from 1970 to 2000-01-01, the epoch of Postgres timestamps.
    package static let postgresEpoch: Int64 = 946_684_800_000_000
    /// Converts a Postgres TimestampTz (microseconds since 2000-01-01 UTC).
    package init(postgres: Int64) { self.init(microseconds: postgres &+ Self.postgresEpoch) }
    package var postgres: Int64 { microseconds &- Self.postgresEpoch }
}

extension CommitTime: CustomStringConvertible {
    /// ISO 8601, UTC, milliseconds (rounded down, so that a printed time is never too late).
    package var description: String { text(fractionDigits: 3) }

    /// - Parameter fractionDigits: 0 to 6.
    package func text(fractionDigits: Int) -> String {
        let (date, time) = civil
        var text =
            "\(Self.pad(date.year, 4))-\(Self.pad(date.month, 2))-\(Self.pad(date.day, 2))T"
        text +=
            "\(Self.pad(time / 3600, 2)):\(Self.pad(time / 60 % 60, 2)):\(Self.pad(time % 60, 2))"
        guard fractionDigits > 0 else { return text + "Z" }
        let rest = Int(microseconds % 1_000_000)
        let fraction = rest < 0 ? rest + 1_000_000 : rest
        return text + "." + String(Self.pad(fraction, 6).prefix(fractionDigits)) + "Z"
    }

    private var civil: (date: (year: Int, month: Int, day: Int), secondOfDay: Int) {
        let seconds = Self.floorDivide(microseconds, 1_000_000)
        let days = Self.floorDivide(seconds, 86_400)
        let z = days + 719_468
        let era = Self.floorDivide(z, 146_097)
        let dayOfEra = z - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shifted + 2) / 5 + 1
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return ((Int(year), Int(month), Int(day)), Int(seconds - days * 86_400))
    }

    private static func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
        let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
        return remainder < 0 ? quotient - 1 : quotient
    }

    private static func pad(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension CommitTime {
    /// Parses `YYYY-MM-DDTHH:MM[:SS[.ffffff]](Z|±HH:MM|±HHMM|±HH)`; a space may stand for the `T`.
    ///
    /// Nil when the text is anything else, in particular when the zone is missing.
    package init?(_ text: String) {
        var scanner = DigitScanner(text)
        guard let year = scanner.digits(4), scanner.take("-"), let month = scanner.digits(2),
            scanner.take("-"), let day = scanner.digits(2), scanner.take("T") || scanner.take(" "),
            let hour = scanner.digits(2), scanner.take(":"), let minute = scanner.digits(2),
            let (second, fraction) = scanner.seconds(), let offset = scanner.zone(),
            scanner.isAtEnd,
            (1...12).contains(month), (1...Self.days(inMonth: month, year: year)).contains(day),
            hour < 24, minute < 60, second < 60
        else { return nil }
        let days = Self.daysFromCivil(year: year, month: month, day: day)
        let seconds = days * 86_400 + Int64(hour * 3600 + minute * 60 + second - offset)
        self.init(microseconds: seconds * 1_000_000 + Int64(fraction))
    }

    /// Days since 1970-01-01 of a proleptic Gregorian date.
    package static func daysFromCivil(year: Int, month: Int, day: Int) -> Int64 {
        let y = Int64(month <= 2 ? year - 1 : year)
        let era = floorDivide(y, 400)
        let yearOfEra = y - era * 400
        let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func days(inMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension CommitTime: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let time = CommitTime(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\(text) is not an ISO 8601 time with zone")
        }
        self = time
    }

    /// Written with six fraction digits: nothing is lost between writing and reading.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text(fractionDigits: 6))
    }
}

/// Takes fixed-width numbers off the front of an ASCII text.
private struct DigitScanner {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = Substring(text).utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    mutating func digits(_ count: Int) -> Int? {
        var value = 0
        for _ in 0..<count {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// Seconds and microseconds behind a minute, where they are given.
    mutating func seconds() -> (Int, Int)? {
        guard take(":") else { return (0, 0) }
        guard let whole = digits(2), let fraction = fraction() else { return nil }
        return (whole, fraction)
    }

    /// Microseconds after an optional point; 0 without one, nil when the point stands alone.
    mutating func fraction() -> Int? {
        guard take(".") || take(",") else { return 0 }
        var value = 0
        var count = 0
        while let digit = digit() {
            if count < 6 { value = value * 10 + digit }
            count += 1
        }
        guard count > 0 else { return nil }
        for _ in 0..<max(0, 6 - count) { value *= 10 }
        return value
    }

    /// Seconds east of UTC.
    mutating func zone() -> Int? {
        if take("Z") || take("z") { return 0 }
        let sign: Int
        if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
        guard let hours = digits(2), hours < 24 else { return nil }
        if isAtEnd { return sign * hours * 3600 }
        _ = take(":")
        guard let minutes = digits(2), minutes < 60 else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }

    private mutating func digit() -> Int? {
        guard let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        else { return nil }
        rest.removeFirst()
        return Int(byte - UInt8(ascii: "0"))
    }
}
