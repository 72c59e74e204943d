import Model

/// How fast a history grows, over about the last minute.
struct StreamRate: Sendable {
    private var samples: [(offset: UInt64, time: MonotonicTime)] = []

    mutating func add(_ offset: UInt64, at now: MonotonicTime) {
        // Another history begins: what was measured belongs to the old one.
        if let last = samples.last, offset < last.offset { samples.removeAll() }
        if let last = samples.last, now.seconds(since: last.time) < 1 { return }
        samples.append((offset, now))
        samples.removeAll { now.seconds(since: $0.time) > 60 }
    }

    /// Nil before there are two samples, and for a history that does not grow.
    var bytesPerSecond: Double? {
        guard let first = samples.first, let last = samples.last, last.offset > first.offset
        else { return nil }
        return Double(last.offset - first.offset) / last.time.seconds(since: first.time)
    }
}
