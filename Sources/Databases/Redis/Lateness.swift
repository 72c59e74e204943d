import Model

/// Since when what is received may have been made at the source. Pure.
///
/// The stream carries no times: what comes counts as made when it comes. That is wrong for what
/// waited: at the source while nobody was connected, or in the socket while we were held up. Then
/// the archive says both ends of the stretch, and a restore into it is refused, never guessed.
struct Lateness: Sendable {
    /// Nil when what comes was made just now.
    private(set) var earliest: CommitTime?
    /// Up to here the history is older than the stream.
    private var until: UInt64?
    private var lastLook: MonotonicTime?

    /// Less is what networks, schedulers and flushes take now and then.
    static let patience = 1.0

    /// The stream begins at `start`.
    ///
    /// - Parameters:
    ///   - sourceEnd: the source's end when it was asked; nil when it may not be asked.
    ///   - proved: what comes was made after it; nil where that is not known.
    mutating func began(
        at start: UInt64, sourceEnd: UInt64?, proved: CommitTime?, created: CommitTime?,
        _ now: MonotonicTime
    ) {
        lastLook = now
        until = sourceEnd
        // A fresh archive has nothing from before.
        let isLate = sourceEnd.map { start < $0 } ?? true
        earliest = isLate ? proved ?? created : nil
    }

    /// Nothing had come.
    mutating func looked(_ now: MonotonicTime) { lastLook = now }

    /// A wait for more ended; one that was longer than it had to be was no wait.
    mutating func waited(until now: MonotonicTime, atMost limit: Double) {
        guard let before = lastLook else { return }
        if now.seconds(since: before) <= max(0, limit) + Self.patience { lastLook = now }
    }

    /// Bytes were there at `now`, which is `wall` at the source.
    mutating func received(_ now: MonotonicTime, _ wall: CommitTime) {
        let pause = lastLook.map { now.seconds(since: $0) } ?? 0
        if earliest == nil, pause > Self.patience { earliest = wall.advanced(bySeconds: -pause) }
        lastLook = now
    }

    /// They were handed on; what follows is new once everything that waited has been.
    mutating func handedOn(to position: UInt64, isAll: Bool) {
        guard isAll, position >= until ?? 0 else { return }
        earliest = nil
        until = nil
    }
}
