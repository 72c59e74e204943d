package import Model

/// What is known of a stream at one moment, for naming its state.
package struct StreamObservation: Sendable {
    package var isConnected = false
    package var isStopped = false
    /// A gap was found and the base backup that mends it is not finished.
    package var awaitsBackupAfterGap = false
    package var archived: UInt64 = 0
    /// Newest bound read from the source; nil when none was read.
    package var bound: UInt64?
    /// When the archived position last moved, or was last at the bound.
    package var lastProgress: MonotonicTime
    /// When the source last answered a probe.
    package var lastAnswer: MonotonicTime?
    /// For how long the stream may bring nothing while the source does not tell its end: until
    /// what it sends when it is idle must have come. Nil where it tells it.
    package var heartbeatSeconds: Double?
    /// More than this behind the source is catching up.
    package var catchingUp: UInt64

    package init(
        lastProgress: MonotonicTime, catchingUp: UInt64 = StreamState.catchingUpBytes
    ) {
        self.lastProgress = lastProgress
        self.catchingUp = catchingUp
    }
}

extension StreamState {
    /// A connected stream that neither moves nor is at the source's end for this long is stalled.
    package static let stallSeconds = 5.0
    /// Far behind the source, where positions count bytes.
    package static let catchingUpBytes: UInt64 = 32 << 20
    /// Ten seconds, where positions are MongoDB's optimes.
    package static let catchingUpTime: UInt64 = 10 << 32

    /// Names the state. Idle is streaming: at the bound, nothing to do, and answering.
    package init(_ seen: StreamObservation, now: MonotonicTime) {
        if seen.isStopped {
            self = .stopped
        } else if !seen.isConnected {
            self = .connecting
        } else if now.seconds(since: seen.lastProgress)
            > seen.heartbeatSeconds ?? Self.stallSeconds
        {
            self = .stalled
        } else if let answer = seen.lastAnswer, now.seconds(since: answer) > Self.stallSeconds {
            self = .stalled
        } else if seen.awaitsBackupAfterGap {
            self = .gap
        } else if let bound = seen.bound, bound > seen.archived,
            bound - seen.archived > seen.catchingUp
        {
            self = .catchingUp
        } else {
            self = .streaming
        }
    }
}
