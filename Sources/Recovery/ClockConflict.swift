import Model

/// Commits whose stamps contradict their order so much that a time names no single place.
///
/// Commits overtake each other by milliseconds: a stamp is taken before its record is written. That
/// does no harm, since what stands behind a later stamp was not acknowledged at the time either.
/// More than `toleranceSeconds` means that the clock of the source ran backwards.
struct ClockConflict: Hashable, Sendable {
    static let toleranceSeconds = 0.1

    /// The newest stamp behind the stop, and one from before the target that follows it.
    var ahead: CommitTime
    var behind: CommitTime
    /// End of the last commit whose stamp is at or before the target.
    var end: UInt64
}

/// Looks for a conflict with one target in the commits behind its stop, fed in order. Pure.
struct ClockConflictFinder: Sendable {
    let target: CommitTime
    private(set) var conflict: ClockConflict?
    private var newest: CommitTime?

    init(_ target: CommitTime) { self.target = target }

    /// Whether commits from `earliest` on need to be looked at one by one.
    func concerns(_ earliest: CommitTime) -> Bool { earliest <= target }

    /// Commits up to this stamp have passed.
    mutating func passed(_ latest: CommitTime) { newest = newest.map { max($0, latest) } ?? latest }

    mutating func add(_ entry: HistoryEntry) {
        guard case .commit = entry.event else { return }
        defer { passed(entry.time) }
        guard entry.time <= target, let newest, newest > target,
            newest.seconds(since: entry.time) > ClockConflict.toleranceSeconds
        else { return }
        conflict = ClockConflict(
            ahead: max(newest, conflict?.ahead ?? newest), behind: entry.time, end: entry.last)
    }
}
