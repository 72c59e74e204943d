import Model

/// Decides when progress is shown and how it reads. Pure: the time is given.
struct ProgressMeter {
    /// Seconds between two lines: a terminal is redrawn, a log gets few lines.
    static let terminalInterval = 0.2
    static let logInterval = 10.0
    /// The rate is that of the last seconds, so that it follows what happens.
    private static let rateSeconds = 10.0

    private let what: String
    private let total: UInt64?
    private let interval: Double
    private let began: MonotonicTime
    private var shown: MonotonicTime
    private var samples: [(time: MonotonicTime, bytes: UInt64)]

    init(_ what: String, total: UInt64?, isTerminal: Bool, now: MonotonicTime) {
        self.what = what
        self.total = total
        interval = isTerminal ? Self.terminalInterval : Self.logInterval
        began = now
        shown = now
        samples = [(now, 0)]
    }

    /// The line to show now; nil when it is too early.
    mutating func advance(to bytes: UInt64, now: MonotonicTime) -> String? {
        guard now.seconds(since: shown) >= interval else { return nil }
        shown = now
        samples.append((now, bytes))
        let old = samples.lastIndex { now.seconds(since: $0.time) >= Self.rateSeconds }
        if let old { samples.removeFirst(old) }
        return line(bytes, now: now)
    }

    /// The last line: what it took as a whole.
    func finish(_ bytes: UInt64, isDone: Bool = true, now: MonotonicTime) -> String {
        let seconds = now.seconds(since: began)
        guard isDone else {
            return "\(what): given up after \(ByteCount(bytes)), \(Self.time(seconds))"
        }
        guard bytes > 0 else { return "\(what): nothing to copy, done in \(Self.time(seconds))" }
        let rate = seconds > 0 ? Double(bytes) / seconds : 0
        return "\(what): \(ByteCount(bytes)) in \(Self.time(seconds)), \(Self.rate(rate))"
    }

    private func line(_ bytes: UInt64, now: MonotonicTime) -> String {
        let first = samples[0]
        let seconds = now.seconds(since: first.time)
        let rate = seconds > 0 && bytes > first.bytes ? Double(bytes - first.bytes) / seconds : 0
        var text = "\(what): \(ByteCount(bytes))"
        if let total, total > 0 {
            // Estimates are often too low; more than all of it is not shown.
            text += " of \(ByteCount(max(total, bytes))) (\(min(99, bytes * 100 / total)) %)"
        }
        text += ", \(Self.rate(rate))"
        if let total, total > bytes, rate > 0 {
            text += ", \(Self.time(Double(total - bytes) / rate)) left"
        }
        return text
    }

    private static func rate(_ bytesPerSecond: Double) -> String {
        "\(ByteCount(UInt64(bytesPerSecond)))/s"
    }

    /// `7 s`, `3 min 05 s`, `2 h 07 min`.
    static func time(_ seconds: Double) -> String {
        let whole = Int(min(seconds, 3.6e8).rounded(.up))
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min \(two(whole % 60)) s" }
        return "\(whole / 3600) h \(two(whole / 60 % 60)) min"
    }
}
