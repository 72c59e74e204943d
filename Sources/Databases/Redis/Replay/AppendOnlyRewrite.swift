import Model

/// What a server that was filled says of its append-only file, which it writes anew behind a full
/// resync. Pure.
struct AppendOnlyRewrite: Sendable {
    enum Verdict: Sendable, Hashable { case done, underWay, failed }

    /// The newest rewrite had failed already before the server was filled: that it has is then no
    /// news until one has been seen at work, or none has begun for `patience`.
    private var hadFailed: Bool
    /// When a rewrite was last seen at work, or the first look.
    private var lastSeen: Double?

    /// Seconds for which a rewrite that is due may be waiting for another child to end.
    static let patience = 60.0

    /// - Parameter before: INFO before the server was told to follow anybody; nil where not asked.
    init(before: ServerInfo?) { hadFailed = before.map(Self.hasFailed) ?? false }

    private static func hasFailed(_ info: ServerInfo) -> Bool {
        info["aof_last_bgrewrite_status"] == "err"
    }

    /// - Parameter now: seconds of any clock that only goes forward.
    mutating func look(_ info: ServerInfo, now: Double) -> Verdict {
        guard info["aof_enabled"] == "1" else { return .done }
        if info["aof_rewrite_in_progress"] == "1" {
            lastSeen = now
            hadFailed = false
            return .underWay
        }
        let due = info["aof_rewrite_scheduled"] == "1"
        guard Self.hasFailed(info) else { return due ? .underWay : .done }
        // A server that fails tries again at once, later ever less often, and for ever.
        guard hadFailed else { return .failed }
        let first = lastSeen ?? now
        lastSeen = first
        return now - first < Self.patience ? .underWay : .failed
    }
}
