import Model

/// Between which two moments what arrives was committed. Pure.
///
/// Not after it arrived, and not before the last moment at which everything older had been received.
/// Such moments are known in two ways. The side connection asks for the source's time and then for
/// the end of its history: what lies behind that end was committed after that time. And a stream
/// that is found empty, while it is known to keep up, has nothing outstanding. It keeps up when it
/// has what the last answers named, or was empty for a while; not behind a break, in which this
/// process stood still or was away: the socket may then be empty although older bytes are on their
/// way.
struct ArrivalClock: Sendable {
    /// Bytes from `position` on were committed after `time`.
    struct Fact: Sendable, Hashable {
        var position: UInt64
        var time: CommitTime
    }

    /// What the side connection was told: at `time` of the source the history ended at or before
    /// `end`.
    struct Answer: Sendable, Hashable {
        var end: Position
        var time: CommitTime
        var asked: MonotonicTime
        var answered: MonotonicTime
    }

    /// One look at the socket.
    struct Look: Sendable, Hashable {
        /// End of what was received.
        var position: UInt64
        /// Whether a command or transaction has begun and not ended there.
        var isInside: Bool
        var isEmpty: Bool
        var now: MonotonicTime
        /// The source's clock.
        var time: CommitTime
    }

    /// Arrivals that are less late than this, in seconds, are told as they are.
    static let exactSeconds = 0.3
    /// Seconds between two looks that are a break.
    private static let breakSeconds = 0.5
    /// Seconds of an empty socket after which nothing is on its way.
    private static let quietSeconds = 0.05
    /// Seconds in which what an answer named must have come.
    private static let promptSeconds = 0.25
    /// Seconds for which an answer vouches for the stream; twice what lies between two.
    private static let vouchSeconds = 2.5
    /// Answers that may wait for their bytes.
    private static let waitingLimit = 64
    /// Seconds that measured clocks go back by without having been set back.
    private static let jitterSeconds = 1.0

    private var timeline = TimelineID("")
    private var fact: Fact?
    private var waiting: [Answer] = []
    private var keepsUp = false
    private var lastLook = MonotonicTime(nanoseconds: 0)
    /// When the last break ended.
    private var watched = MonotonicTime(nanoseconds: 0)
    private var emptySince: MonotonicTime?
    private var vouched: MonotonicTime?
    private var lastTime: CommitTime?

    /// The stream goes on at a position.
    ///
    /// - Parameter known: what the archive proves of its end; nil when nothing.
    mutating func opened(at start: Position, known: CommitTime?, now: MonotonicTime) {
        let goesOn = fact.map { $0.position <= start.ordinal } ?? false
        if timeline != start.timeline || !goesOn {
            fact = known.map { Fact(position: start.ordinal, time: $0) }
        }
        timeline = start.timeline
        waiting = []
        vouched = nil
        resume(now)
    }

    private mutating func resume(_ now: MonotonicTime) {
        keepsUp = false
        emptySince = nil
        watched = now
        lastLook = now
    }

    mutating func add(_ answer: Answer) {
        guard answer.end.timeline == timeline else { return }
        if waiting.count >= Self.waitingLimit {
            waiting = waiting.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        }
        waiting.append(answer)
    }

    mutating func take(_ look: Look) {
        if look.now.seconds(since: lastLook) > Self.breakSeconds { resume(look.now) }
        lastLook = look.now
        while let first = waiting.first, first.end.ordinal <= look.position {
            waiting.removeFirst()
            learn(Fact(position: first.end.ordinal, time: first.time))
            guard first.asked >= watched else { continue }
            keepsUp = true
            vouched = first.answered
        }
        guard look.isEmpty else {
            emptySince = nil
            return
        }
        let since = emptySince ?? look.now
        emptySince = since
        if look.now.seconds(since: since) >= Self.quietSeconds { keepsUp = true }
        if !look.isInside, isCurrent(look.now) {
            learn(Fact(position: look.position, time: look.time))
        }
    }

    private mutating func learn(_ new: Fact) {
        if fact.map({ $0.time < new.time }) ?? true { fact = new }
    }

    private func isCurrent(_ now: MonotonicTime) -> Bool {
        guard keepsUp else { return false }
        if let first = waiting.first, now.seconds(since: first.answered) > Self.promptSeconds {
            return false
        }
        return vouched.map { now.seconds(since: $0) <= Self.vouchSeconds } ?? true
    }

    /// The times of commands that begin at `first` and have just arrived, at `time` of the source.
    ///
    /// - Parameter changes: whether any of them changes anything; the others are never late.
    mutating func stamp(
        from first: UInt64, at time: CommitTime, changes: Bool
    ) -> (time: CommitTime, since: CommitTime?) {
        var time = time
        // Each measurement of the clock is off by a little.
        if let last = lastTime, last > time, last.seconds(since: time) < Self.jitterSeconds {
            time = last
        }
        lastTime = time
        guard changes else { return (time, nil) }
        let since =
            fact.flatMap { $0.position <= first ? $0.time : nil } ?? CommitTime(microseconds: 0)
        return (time, time.seconds(since: since) > Self.exactSeconds ? since : nil)
    }
}
