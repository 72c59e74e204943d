import Model
import Platform

/// Where a running stream stands: what came, what was confirmed, who has to say something. Pure.
///
/// Written, flushed and applied all carry the same promise: durable in the archive. So
/// `synchronous_commit` at `remote_write`, `on` and `remote_apply` all wait for exactly that
/// (reporting nothing as applied would block `remote_apply` for ever). A position is confirmed only
/// if its bytes also came in this session: the server believes any number, and moves the slot to
/// it. Before the bytes re-sent after a reconnect have come up to the archive's end, nothing is
/// confirmed (0), so that the slot does not go back.
struct StreamProgress: Sendable {
    /// The first byte that has not come.
    private(set) var received: UInt64
    /// The server's flush position when it read the last bytes.
    private(set) var serverEnd: UInt64 = 0
    /// The server waits for a status message.
    private(set) var isReplyWanted = false
    private var confirmed: UInt64 = 0
    private var lastSent: MonotonicTime
    private var quiet: QuietTime
    /// How long the server had been quiet when it was asked for a sign of life.
    private var quietWhenAsked: Double?

    private let statusSeconds: Double
    private let silenceSeconds: Double

    init(start: UInt64, now: MonotonicTime, statusSeconds: Double, silenceSeconds: Double) {
        received = start
        lastSent = now
        quiet = QuietTime(now: now, longestPause: silenceSeconds / 4)
        self.statusSeconds = statusSeconds
        self.silenceSeconds = silenceSeconds
    }

    /// Everything that the server had when it last read has come; more may follow at any time.
    var isCaughtUp: Bool { received >= serverEnd }

    /// WAL has come. Throws when it does not follow what came before.
    mutating func took(_ data: XLogData, bytes: Int) throws(TidemarkError) {
        guard data.start == received else {
            throw TidemarkError(
                .sourceUnreachable,
                "the stream jumped from \(LSN.text(received)) to \(LSN.text(data.start))",
                remedy: "Tidemark connects again and goes on at the archive's end")
        }
        received += UInt64(bytes)
        serverEnd = data.serverEnd
    }

    mutating func took(_ keepalive: Keepalive) {
        if keepalive.replyRequested { isReplyWanted = true }
    }

    /// The server said something, whatever it was.
    mutating func heard(_ now: MonotonicTime) {
        quiet.heard(now)
        quietWhenAsked = nil
    }

    // MARK: what we say

    /// Takes what is durable; true when there is something new to confirm.
    mutating func confirm(_ durable: UInt64) -> Bool {
        guard durable <= received, durable > confirmed else { return false }
        confirmed = durable
        return true
    }

    func isStatusDue(_ now: MonotonicTime) -> Bool {
        isReplyWanted || now.seconds(since: lastSent) >= statusSeconds
    }

    /// The status message to send now.
    mutating func status(_ now: MonotonicTime, wall: CommitTime, asks: Bool) -> StandbyStatus {
        lastSent = now
        isReplyWanted = false
        if asks { quietWhenAsked = quiet.seconds }
        return StandbyStatus(
            written: confirmed, flushed: confirmed, applied: confirmed, sent: wall,
            replyRequested: asks)
    }

    // MARK: silence

    /// An idle server says nothing by itself; one that does not answer either is gone.
    enum Silence: Sendable, Equatable {
        /// Look again after so many seconds.
        case fine(seconds: Double)
        /// Ask for a sign of life.
        case ask
        case gone
    }

    /// What to do about a server that had nothing to be read after the clock stood at `now`.
    mutating func silence(_ now: MonotonicTime) -> Silence {
        quiet.looked(now)
        guard quiet.seconds >= silenceSeconds / 2 else {
            return .fine(seconds: pause(silenceSeconds / 2 - quiet.seconds, now))
        }
        guard let quietWhenAsked else { return .ask }
        let waited = quiet.seconds - quietWhenAsked
        if waited >= silenceSeconds / 2 { return .gone }
        return .fine(seconds: pause(silenceSeconds / 2 - waited, now))
    }

    private func pause(_ seconds: Double, _ now: MonotonicTime) -> Double {
        let untilStatus = max(0, statusSeconds - now.seconds(since: lastSent))
        return min(seconds, untilStatus, quiet.longestPause)
    }
}
