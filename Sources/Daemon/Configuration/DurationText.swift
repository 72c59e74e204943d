/// Durations as the configuration writes them: a whole number and its unit, `15m`.
package enum DurationText {
    /// Units with their length in milliseconds, longest first.
    static let units: [(name: String, milliseconds: Int64)] = [
        ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000),
        ("ms", 1),
    ]

    /// Nil for anything but digits followed by `ms`, `s`, `m`, `h`, `d` or `w`.
    package static func parse(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard (1...12).contains(digits.count), let count = Int64(digits),
            let unit = units.first(where: { $0.name == text.dropFirst(digits.count) }),
            case let (total, overflow) = count.multipliedReportingOverflow(by: unit.milliseconds),
            !overflow
        else { return nil }
        return .milliseconds(total)
    }

    /// In the largest unit that needs no fraction: `90m`, `500ms`.
    package static func text(_ duration: Duration) -> String {
        let total = duration.wholeMilliseconds
        let unit = units.first { total >= $0.milliseconds && total % $0.milliseconds == 0 }
        guard let unit else { return "\(total)ms" }
        return "\(total / unit.milliseconds)\(unit.name)"
    }
}

extension Duration {
    /// The same length as a number of seconds.
    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }

    fileprivate var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}

extension DurationText {
    static func days(_ count: Int) -> Duration { .seconds(count * 86_400) }
}
