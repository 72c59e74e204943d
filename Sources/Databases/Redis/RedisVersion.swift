/// Major, minor and patch number.
struct RedisVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    var major: Int
    var minor: Int
    var patch: Int

    init(_ major: Int, _ minor: Int, _ patch: Int = 0) {
        (self.major, self.minor, self.patch) = (major, minor, patch)
    }

    /// Zeros for what is not a number.
    init(_ text: String) {
        let parts = text.split(separator: ".").map { Int($0.prefix { $0.isNumber }) ?? 0 }
        self.init(
            parts.first ?? 0, parts.count > 1 ? parts[1] : 0, parts.count > 2 ? parts[2] : 0)
    }

    /// PSYNC with replication ids that survive a failover.
    static let resumable = RedisVersion(4, 0)
    /// `REPLCONF rdb-filter-only`, absolute expiry times in the stream, multi-part AOF.
    static let filtering = RedisVersion(7, 0)
    /// `REPLCONF ACK … FACK …`.
    static let durableAck = RedisVersion(7, 2)

    static func < (a: RedisVersion, b: RedisVersion) -> Bool {
        (a.major, a.minor, a.patch) < (b.major, b.minor, b.patch)
    }

    var description: String { "\(major).\(minor).\(patch)" }
}
