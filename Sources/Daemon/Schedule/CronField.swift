/// One of the five fields of a cron expression, as the set of values it allows.
///
/// `*`, `5`, `1-5`, `*/15`, `10-40/5`, names of months and days, and lists of these with commas.
struct CronField: Sendable, Hashable {
    /// Bit n stands for value n.
    private(set) var bits: UInt64 = 0
    /// The field began with `*`: it restricts nothing by itself, which matters for cron's rule of
    /// days (see `CronExpression`).
    let isStar: Bool

    /// - Throws: a sentence about what is wrong.
    init(_ text: Substring, _ kind: Kind) throws(OptionComplaint) {
        isStar = text.first == "*"
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            bits |= try Self.item(item, kind)
        }
        // Sunday is 0 and 7.
        if kind == .weekday, bits & (1 << 7) != 0 { bits = bits & ~(1 << 7) | 1 }
    }

    func contains(_ value: Int) -> Bool { bits & (1 << UInt64(value)) != 0 }

    /// The allowed values, ascending.
    var values: [Int] { (0..<64).filter(contains) }

    private static func item(_ item: Substring, _ kind: Kind) throws(OptionComplaint) -> UInt64 {
        let parts = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let range = try self.range(parts[0], kind)
        var step = 1
        if parts.count == 2 {
            guard let given = Int(parts[1]), (1...kind.range.upperBound).contains(given) else {
                throw kind.complaint("\(parts[1]) is not a step")
            }
            guard parts[0] == "*" || parts[0].contains("-") else {
                throw kind.complaint("a step needs a range or *, as in \(parts[0])-…/\(given)")
            }
            step = given
        }
        return stride(from: range.lowerBound, through: range.upperBound, by: step)
            .reduce(0) { $0 | 1 << UInt64($1) }
    }

    private static func range(
        _ text: Substring, _ kind: Kind
    ) throws(OptionComplaint) -> ClosedRange<Int> {
        // `*` counts the days of the week from 0 to 6, so that a step does not see Sunday twice.
        if text == "*" {
            return kind.range.lowerBound...(kind == .weekday ? 6 : kind.range.upperBound)
        }
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let first = try kind.value(ends[0])
        var last = ends.count == 2 ? try kind.value(ends[1]) : first
        // fri-sun: the Sunday at the end of the week.
        if kind == .weekday, last == 0, first > 0 { last = 7 }
        guard first <= last else { throw kind.complaint("\(text) runs backward") }
        return first...last
    }
}

extension CronField {
    /// Which of the five fields.
    enum Kind: String, Sendable, CaseIterable {
        case minute, hour
        case day = "day of the month"
        case month
        case weekday = "day of the week"

        var range: ClosedRange<Int> {
            switch self {
            case .minute: 0...59
            case .hour: 0...23
            case .day: 1...31
            case .month: 1...12
            case .weekday: 0...7
            }
        }

        private var names: [Substring] {
            switch self {
            case .minute, .hour, .day: []
            case .month:
                [
                    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov",
                    "dec",
                ]
            case .weekday: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
            }
        }

        func value(_ text: Substring) throws(OptionComplaint) -> Int {
            if let name = names.firstIndex(of: Substring(text.lowercased())) {
                return name + range.lowerBound
            }
            let isNumber = !text.isEmpty && text.allSatisfy { $0.isASCII && $0.isNumber }
            guard isNumber, let value = Int(text) else {
                throw complaint(text.isEmpty ? "a value is missing" : "\(text) is not understood")
            }
            guard range.contains(value) else {
                throw complaint("\(value) is not from \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }

        func complaint(_ detail: String) -> OptionComplaint {
            OptionComplaint(detail: "in the \(rawValue): \(detail)")
        }
    }
}
