import Model

/// How much a server writes into its replication stream, between two answers to INFO. Pure.
struct BacklogTraffic: Sendable, Hashable {
    let bytesPerSecond: Double
    /// Whether the server had no stream to measure.
    let isEstimate: Bool

    /// Seconds of traffic that the backlog should hold: a restart of the archiver takes a few.
    private static let seconds = 60.0
    /// What is asked for has room for a little more traffic than was measured.
    private static let margin = 1.25
    /// Less does not survive a burst, however slow the traffic is on the whole.
    private static let least: UInt64 = 16 << 20
    private static let usual = 64.0 * 1_048_576

    /// Without a backlog a server counts nothing, or with AOF commands instead of bytes
    /// (`replicationFeedSlaves` in replication.c of 7.0); then what clients send stands for it.
    init(_ before: ServerInfo, _ after: ServerInfo, seconds: Double) {
        isEstimate = before.backlog == nil || after.backlog == nil
        let ends =
            isEstimate
            ? (before.receivedBytes, after.receivedBytes) : (before.offset, after.offset)
        bytesPerSecond = Double(ends.1 > ends.0 ? ends.1 - ends.0 : 0) / seconds
    }

    /// What speaks against a backlog of this size, as a sentence's end; nil where nothing does.
    func objection(to size: UInt64) -> String? {
        if Double(size) < bytesPerSecond * Self.seconds {
            return ": a longer outage of the archiver costs a gap"
        }
        guard size < Self.least else { return nil }
        return "; but a burst of more than \(ByteCount(size)) while the archiver is away costs a "
            + "gap"
    }

    /// The size to set, in bytes.
    var needed: UInt64 {
        UInt64(max(bytesPerSecond * Self.seconds * Self.margin, Self.usual))
    }

    /// For people: what a backlog of this size holds.
    func held(by size: UInt64) -> String {
        guard bytesPerSecond > 0 else { return "an idle stream" }
        let seconds = Int(Double(size) / bytesPerSecond)
        return isEstimate
            ? "\(seconds) s of what clients send now (it has had no replica to measure by)"
            : "\(seconds) s of the present traffic"
    }
}
