/// When a time zone's clocks differ from UTC by how much: past changes and the rule for the future.
package struct TimeZoneRules: Sendable, Hashable {
    /// `Europe/Berlin`.
    package let name: String
    /// Seconds since 1970 at which a new offset begins, ascending.
    private let changes: [Int64]
    /// Offset from each change on.
    private let offsets: [Int]
    /// Before the first change.
    private let firstOffset: Int
    /// After the last change; nil when the last offset stays for ever.
    private let rule: PosixTimeZone?

    init(
        name: String, changes: [(instant: Int64, offset: Int)], firstOffset: Int,
        rule: PosixTimeZone?
    ) {
        self.name = name
        self.changes = changes.map(\.instant)
        self.offsets = changes.map(\.offset)
        self.firstOffset = firstOffset
        self.rule = rule
    }

    /// Coordinated Universal Time; needs no file.
    package static let utc = TimeZoneRules(name: "UTC", changes: [], firstOffset: 0, rule: nil)

    /// Seconds east of UTC at `instant` (seconds since 1970).
    func offset(at instant: Int64) -> Int {
        var (low, high) = (0, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle] <= instant { low = middle + 1 } else { high = middle }
        }
        if low == changes.count, let rule { return rule.offset(at: instant) }
        return low == 0 ? firstOffset : offsets[low - 1]
    }

    /// The moments at which local clocks show one reading.
    enum Instants: Sendable, Hashable {
        case once(Int64)
        /// Clocks were set back over it.
        case twice(first: Int64, second: Int64)
        /// Clocks were set forward over it; `until` is the moment of the change.
        case skipped(until: Int64)
    }

    /// - Parameter local: the reading, as if it were seconds since 1970 UTC.
    func instants(ofLocal local: Int64) -> Instants {
        // Offsets are within a day of UTC, and no zone changes twice within two days.
        let (before, after) = (offset(at: local - 86_400), offset(at: local + 86_400))
        let candidates = Set([before, after]).map { local - Int64($0) }.sorted()
        let real = candidates.filter { $0 + Int64(offset(at: $0)) == local }
        if real.count == 2 { return .twice(first: real[0], second: real[1]) }
        if let only = real.first { return .once(only) }
        var (low, high) = (local - 86_400, local + 86_400)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if offset(at: middle) == before { low = middle } else { high = middle }
        }
        return .skipped(until: high)
    }
}
