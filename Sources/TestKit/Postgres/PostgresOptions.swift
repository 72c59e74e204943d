/// How a test server is made.
package struct PostgresOptions: Sendable {
    /// Who may connect, over TCP and the socket alike.
    package enum Authentication: Hashable, Sendable {
        case trust
        /// SCRAM-SHA-256; the superuser `postgres` gets this password.
        case password(String)
    }

    /// Lines of postgresql.conf, after and stronger than the fixture's own.
    package var settings: [String]
    /// `wal_segment_size` in MiB: 1, 2, 4 … 1024. Default 16.
    package var segmentMebibytes: Int
    package var checksums: Bool
    package var authentication: Authentication
    /// The folder of the server's programs; another one of `OtherServers`.
    package var bin: String

    package init(
        settings: [String] = [], segmentMebibytes: Int = 16, checksums: Bool = false,
        authentication: Authentication = .trust, bin: String = PostgresTools.bin
    ) {
        self.settings = settings
        self.segmentMebibytes = segmentMebibytes
        self.checksums = checksums
        self.authentication = authentication
        self.bin = bin
    }
}
