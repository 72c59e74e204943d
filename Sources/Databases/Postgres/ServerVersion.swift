import Model

/// Which servers can be archived, and how they say things.
enum ServerVersion {
    /// The oldest that has what is needed: manifests, `pg_current_snapshot`, SHOW on the stream.
    static let oldest = 130_000
    /// The newest major version whose WAL this program can read.
    static let newestMajor = 18

    static func check(
        _ version: Int, _ context: ConnectionFailure.Context
    ) throws(TidemarkError) {
        guard version < oldest else { return }
        throw TidemarkError(
            .sourceRefused,
            "Postgres at \(context.place) is version \(text(version)); 13 is the oldest supported",
            remedy: "upgrade the server (pg_upgrade)")
    }

    /// A standby proves only what it has received itself, and would have to be trusted for the
    /// rest.
    static func standby(_ context: ConnectionFailure.Context) -> TidemarkError {
        TidemarkError(
            .sourceRefused,
            "Postgres at \(context.place) is a standby: what it has not received from its primary "
                + "could be lost without anybody knowing",
            remedy: "name the primary, or all hosts of the cluster: "
                + "postgresql://…@host1,host2/…?target_session_attrs=read-write")
    }

    /// `15.20` for 150020.
    static func text(_ version: Int) -> String { "\(version / 10_000).\(version % 10_000)" }

    /// A memory setting as SHOW prints it (`16MB`); nil for anything else.
    static func bytes(_ text: String) -> UInt64? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = UInt64(digits) else { return nil }
        let factors: [Substring: UInt64] = [
            "": 1, "B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40,
        ]
        guard let factor = factors[text.dropFirst(digits.count)] else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : bytes
    }
}
