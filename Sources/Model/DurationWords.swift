/// Lengths of time as people read them: at most two units, rounded up to the smaller one that is
/// shown, so that none is too good.
package enum DurationWords {
    private static let units = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")]

    /// `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `2 d 4 h`.
    package static func text(_ seconds: Double) -> String {
        let tenths = (max(0, seconds) * 10 - 1e-9).rounded(.up)
        if tenths < 100 { return "\(max(0, tenths) / 10) s" }
        let whole = Int(min(seconds, 1e12).rounded(.up))
        let first = units.firstIndex { whole >= $0.0 } ?? units.count - 1
        guard first + 1 < units.count else { return "\(whole) s" }
        let small = units[first + 1]
        let count = (whole + small.0 - 1) / small.0
        // What is rounded up to a whole larger unit may be one of the next larger.
        guard first == 0 || count * small.0 < units[first - 1].0 else {
            return "1 \(units[first - 1].1)"
        }
        let (large, rest) = (count * small.0 / units[first].0, count * small.0 % units[first].0)
        return "\(large) \(units[first].1)" + (rest == 0 ? "" : " \(rest / small.0) \(small.1)")
    }
}
