/// Which server it is, as it calls itself: `8.0.2`, `valkey 8.1.1`.
///
/// Valkey left Redis at 7.2.4 and counts by itself since, so the two numbers say nothing of each
/// other; what does is the version of the RDB, which each raises in its own way.
struct ServerRelease: Sendable, Hashable, CustomStringConvertible {
    let isValkey: Bool
    let version: RedisVersion

    init(isValkey: Bool, _ version: RedisVersion) {
        (self.isValkey, self.version) = (isValkey, version)
    }

    /// As `ServerInfo.versionText` and the descriptor of a base backup have it.
    init(_ text: String) {
        let words = text.split(separator: " ")
        isValkey = words.first == "valkey"
        version = RedisVersion(String(words.last ?? ""))
    }

    /// The Redis whose commands and replication it speaks.
    var level: RedisVersion { isValkey ? Self.parting : version }
    private static let parting = RedisVersion(7, 2, 4)

    /// The newest RDB of the other kind that it reads. Redis 7.4 began 12, Valkey 9 its own 80.
    private var readsForeign: Int {
        switch (level.major, level.minor) {
        case (..<7, _): 9
        case (7, ..<2): 10
        default: isValkey || (level.major, level.minor) < (7, 4) ? 11 : 12
        }
    }

    /// Whether it reads what a source has saved.
    ///
    /// - Parameter rdb: the version of the source's RDB.
    func canRead(_ source: ServerRelease, rdb: Int) -> Bool {
        guard isValkey == source.isValkey else { return rdb <= readsForeign }
        return (version.major, version.minor) >= (source.version.major, source.version.minor)
    }

    /// What has to read a restore of it, for people.
    var readers: String {
        let own = "\(isValkey ? "Valkey" : "Redis") \(version.major).\(version.minor) or later"
        guard isValkey else { return own }
        return version < Self.ownFormat
            ? own + ", or Redis 7.2 or later" : own + "; no Redis reads its RDB"
    }
    /// The first Valkey whose RDB is its own (`VALKEY080`, `rdb.c` of Valkey 9).
    private static let ownFormat = RedisVersion(9, 0)

    /// For people: `8.0.2`, `valkey 8.1.1`.
    var description: String { isValkey ? "valkey \(version)" : "\(version)" }
}
