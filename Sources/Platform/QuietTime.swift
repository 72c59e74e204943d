package import Model

/// How long a peer has said nothing, counting only the time in which somebody listened.
///
/// A process that got no processor, a machine that slept and a write that blocked for a minute did
/// not listen: what the peer said meanwhile lies in the socket still, and a peer on the same
/// machine slept as well. So the time between two looks counts for `longestPause` at most. Read the
/// clock, then the socket, then tell `looked` of both: a look must be newer than its time.
package struct QuietTime: Sendable {
    /// Seconds without a sign of life, as of the last look.
    package private(set) var seconds = 0.0
    private var lastLook: MonotonicTime
    /// The longest wait between two looks in good order.
    package let longestPause: Double

    package init(now: MonotonicTime, longestPause: Double) {
        lastLook = now
        self.longestPause = longestPause
    }

    /// The clock stood at `now`, and then nothing was to be read.
    package mutating func looked(_ now: MonotonicTime) {
        seconds += max(0, min(now.seconds(since: lastLook), longestPause))
        lastLook = max(lastLook, now)
    }

    /// The peer said something at about `now`.
    package mutating func heard(_ now: MonotonicTime) {
        seconds = 0
        lastLook = max(lastLook, now)
    }
}
