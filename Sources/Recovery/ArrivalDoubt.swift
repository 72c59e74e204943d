import Model

/// Whether a moment lies where the archive does not know what had been committed by then: between
/// the last moment before which nothing was outstanding and the arrival of what came after it. Pure.
///
/// While an archiver stands still or is away, what is written arrives only afterwards, and all of
/// it gets the time of its arrival.
struct ArrivalDoubt {
    /// Longer ones make a moment inside them mean nothing; from shorter ones follows only how
    /// much a restored copy holds for certain. In seconds, well above what lies between two
    /// questions to the source.
    static let limit = 1.5

    private let time: CommitTime
    /// The stretch of moments that are in doubt together with the one asked for.
    private(set) var from: CommitTime
    private(set) var to: CommitTime
    /// Everything committed at or before this moment had arrived at the one asked for.
    private(set) var certain: CommitTime

    init(_ time: CommitTime) {
        self.time = time
        from = time
        to = time
        certain = time
    }

    var isDoubtful: Bool { from < to }

    /// Takes what the archive knows of a stretch; whether that changed anything.
    @discardableResult
    mutating func add(_ entry: TimeIndexEntry) -> Bool {
        guard let since = entry.since else { return false }
        if since < time, time < entry.latest { certain = min(certain, since) }
        guard entry.latest.seconds(since: since) > Self.limit, since < to, from < entry.latest
        else { return false }
        let before = (from, to)
        from = min(from, since)
        to = max(to, entry.latest)
        return before != (from, to)
    }

    /// Whether nothing behind a stretch can say anything new: all of it was committed later.
    func isBehind(_ entry: TimeIndexEntry) -> Bool {
        (entry.since ?? entry.earliest) >= to && entry.latest > time
    }
}
