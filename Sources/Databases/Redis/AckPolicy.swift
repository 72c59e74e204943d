import Model

/// Which offset is reported to the primary, and when.
///
/// ACKs are load-bearing: WAIT, min-replicas-to-write, SHUTDOWN and FAILOVER believe them. A
/// replica whose ACK equals the primary's offset may be chosen by an untargeted FAILOVER, and we
/// cannot be a primary. So the ACK of each second says one byte less than is durable, and only the
/// answer to GETACK, which WAIT and SHUTDOWN send and FAILOVER does not, is exact. The server keeps
/// the highest ACK it has seen, so nothing may be reported that is not durable.
struct AckPolicy: Sendable {
    /// Seconds between two ACKs, as a replica's (`replicationCron`).
    static let seconds = 1.0

    private var last: MonotonicTime?
    private var lastSent: UInt64 = 0
    /// End of a GETACK that has not been answered.
    private(set) var askedAt: UInt64?

    /// A GETACK ended at this offset.
    mutating func asked(at end: UInt64) { askedAt = end }

    func isDue(_ now: MonotonicTime) -> Bool {
        guard let last else { return true }
        return now.seconds(since: last) >= Self.seconds
    }

    /// The offset to send now; nil for none.
    mutating func next(durable: UInt64, now: MonotonicTime) -> UInt64? {
        if let end = askedAt, durable >= end {
            askedAt = nil
            return sent(durable, now)
        }
        guard isDue(now) else { return nil }
        return sent(max(lastSent, durable > 0 ? durable - 1 : 0), now)
    }

    private mutating func sent(_ offset: UInt64, _ now: MonotonicTime) -> UInt64 {
        last = now
        lastSent = offset
        return offset
    }
}
