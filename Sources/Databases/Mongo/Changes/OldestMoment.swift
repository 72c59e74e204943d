/// Looks for the oldest moment that a change stream can begin with, by halves: a server says only
/// whether it still has a moment. Pure.
struct OldestMoment: Hashable, Sendable {
    /// The server no longer has this one.
    private var lost: OpTime
    /// It has everything behind this one.
    private(set) var there: OpTime
    private var asked: OpTime?

    /// - Parameters:
    ///   - lost: a moment that is known to be lost.
    ///   - there: one that is known to be there: the present.
    init(lost: OpTime, there: OpTime) {
        self.lost = lost
        self.there = max(lost, there)
        next()
    }

    /// The next moment to ask for; nil when the answer is known to the second.
    var question: OpTime? { asked }

    mutating func answer(isThere: Bool) {
        guard let asked else { return }
        if isThere { there = asked } else { lost = asked }
        next()
    }

    private mutating func next() {
        let seconds = there.seconds - lost.seconds
        asked = seconds > 1 ? OpTime(seconds: lost.seconds + seconds / 2, increment: 0) : nil
    }
}
