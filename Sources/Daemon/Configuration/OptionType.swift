import Model

/// How the text of an option becomes a value, and what a message says it must be.
struct OptionType<Value: Sendable>: Sendable {
    /// Completes "must be …": `a duration from 100ms to 60s, such as 1s`.
    let expectation: String
    /// Throws what is wrong with the text.
    let parse: @Sendable (String) throws(OptionComplaint) -> Value
}

/// Why a text is not the value it should be.
struct OptionComplaint: Error {
    /// More exact than the option's expectation; nil when there is nothing to add.
    var detail: String?
}

extension OptionType {
    /// A type whose parser only says yes or no.
    init(_ expectation: String, _ parse: @escaping @Sendable (String) -> Value?) {
        self.init(expectation: expectation) { (text) throws(OptionComplaint) in
            guard let value = parse(text) else { throw OptionComplaint() }
            return value
        }
    }
}

extension OptionType where Value == Duration {
    static func duration(_ range: ClosedRange<Duration>, example: String) -> Self {
        let (low, high) = (DurationText.text(range.lowerBound), DurationText.text(range.upperBound))
        return Self("a duration from \(low) to \(high), such as \(example)") { text in
            DurationText.parse(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension OptionType where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> Self {
        Self("a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }
}

extension OptionType where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    static func choice() -> Self {
        let names = Value.allCases.map(\.rawValue)
        let text = names.dropLast().joined(separator: ", ") + " or " + (names.last ?? "")
        return Self(text) { Value(rawValue: $0) }
    }
}

extension OptionType where Value == String {
    /// Any text of at most `limit` bytes without control signs.
    static func text(_ what: String, limit: Int = 1024) -> Self {
        Self(what) { text in
            let isFine = text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
            return !text.isEmpty && text.utf8.count <= limit && isFine ? text : nil
        }
    }

    /// The server's own rule for the names of replication slots.
    static let slotName = Self("1 to 63 of the signs a-z, 0-9 and _") { text in
        let isName = text.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "_")
        }
        return isName && (1...63).contains(text.utf8.count) ? text : nil
    }
}
