/// Which server it is, Redis or Valkey, and of what version.
///
/// Valkey goes on where Redis 7.2.4 stopped, and numbers its own versions from 7.2.5 on: what it
/// can do is that of a 7.2.4 at least. Its RDB is Redis 7.2's until 8.1; from 9.0 on it begins
/// with `VALKEY080`, which no Redis reads (`rdb.c` of Valkey 9).
struct ServerRelease: Sendable, Hashable, CustomStringConvertible {
    var isValkey: Bool
    var version: RedisVersion

    /// - Parameter text: `ServerInfo.versionText`, as base backups keep it:
    ///   `valkey 8.0.1`, `7.0.15`.
    init(_ text: String) {
        let words = text.split(separator: " ")
        isValkey = words.count > 1 && words[0].lowercased() == "valkey"
        version = RedisVersion(String(words.last ?? ""))
    }

    init(isValkey: Bool, version: RedisVersion) {
        self.isValkey = isValkey
        self.version = version
    }

    /// The Redis whose formats and commands it has.
    var compatible: RedisVersion { isValkey ? Self.parting : version }

    /// Where the two parted.
    private static let parting = RedisVersion(7, 2, 4)
    /// The first Valkey whose RDB is its own.
    private static let ownFormat = RedisVersion(9, 0)

    /// Whether a server of this release reads what one of `source` has written. Patch numbers do
    /// not count.
    func reads(_ source: ServerRelease) -> Bool {
        if isValkey == source.isValkey { return isNotBefore(source.version) }
        if isValkey { return Self.numbers(source.version) <= Self.numbers(Self.parting) }
        return source.version < Self.ownFormat && isNotBefore(Self.parting)
    }

    private func isNotBefore(_ other: RedisVersion) -> Bool {
        Self.numbers(version) >= Self.numbers(other)
    }

    private static func numbers(_ version: RedisVersion) -> RedisVersion {
        RedisVersion(version.major, version.minor)
    }

    /// What has to read a restore of it, for people.
    var readers: String {
        let own = "\(isValkey ? "Valkey" : "Redis") \(version.major).\(version.minor) or later"
        guard isValkey else { return own }
        return version < Self.ownFormat
            ? own + ", or Redis 7.2 or later" : own + "; no Redis reads its RDB"
    }

    var description: String { (isValkey ? "valkey " : "") + version.description }
}
