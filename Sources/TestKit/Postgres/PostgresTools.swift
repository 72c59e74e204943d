import Model
package import Platform
import Glibc

/// Where Postgres's own programs are, and who runs them.
package enum PostgresTools {
    /// The folder of the newest installed version; `TIDEMARK_TEST_PG_BIN` chooses another.
    package static let bin: String = {
        if let chosen = getenv("TIDEMARK_TEST_PG_BIN") { return String(cString: chosen) }
        for version in stride(from: 30, through: 10, by: -1) {
            let folder = "/usr/lib/postgresql/\(version)/bin"
            if access(folder + "/initdb", X_OK) == 0 { return folder }
        }
        return "/usr/bin"
    }()

    /// Postgres refuses to run as root: then its own user is taken; nil: run as ourselves.
    package static let user: UserIdentity? =
        UserIdentity.isRoot ? try? UserIdentity(named: "postgres") : nil

    package static func path(_ tool: String) -> String { bin + "/" + tool }
}
