import Glibc

/// Servers of other versions than the machine's own.
///
/// `Scripts/test` takes them out of packages of PyPI and puts them into `.build/servers`, unless
/// `TIDEMARK_TEST_SERVERS` names a folder that has them: `redis-6.2/bin`, `postgres-16/bin`,
/// `postgres-18/bin`. They are run as programs of their own; nothing of them is built in.
package enum OtherServers {
    private static let folder: String = {
        if let named = getenv("TIDEMARK_TEST_SERVERS") { return unsafe String(cString: named) }
        let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        return "/\(root)/.build/servers"
    }()

    /// The folder with the programs of one version.
    package static func redis(_ version: String) -> String { folder + "/redis-\(version)/bin" }

    /// The same of Postgres.
    package static func postgres(_ major: Int) -> String { folder + "/postgres-\(major)/bin" }
}
