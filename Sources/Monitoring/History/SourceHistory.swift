package import Repository

/// A source's history in memory, bounded: the last 25 hours by the minute, and each further level
/// twice as far back in buckets twice as wide. A bucket keeps the worst exposure of its minutes.
/// Pure.
package struct SourceHistory: Sendable {
    /// What is kept, and what may be asked for: 90 days.
    package static let hourLimit = 2160

    private var levels = (0..<8).map { HistoryLevel(width: 1 << Int64($0)) }

    package init() {}

    /// Minutes may come in any order, and one may come in several parts.
    ///
    /// - Parameter now: the minute it is; nothing beyond it is kept before what is not.
    package mutating func add(_ point: HistoryPoint, now: Int64 = .max) {
        for level in levels.indices { levels[level].add(point, now: now) }
    }

    /// The last `hours` up to now, in at most 1500 points.
    ///
    /// - Precondition: 1 to `hourLimit` hours.
    package func points(hours: Int, until minute: Int64) -> [HistoryPoint] {
        levels[Self.level(hours)].points(minutes: Int64(hours) * 60, until: minute)
    }

    /// Seconds that each of those points stands for.
    package static func step(hours: Int) -> Int { 60 << level(hours) }

    private static func level(_ hours: Int) -> Int {
        precondition((1...hourLimit).contains(hours), "history has 1 to 2160 hours")
        var level = 0
        while hours * 60 > HistoryLevel.capacity << level { level += 1 }
        return level
    }
}
