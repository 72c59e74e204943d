import Model

/// `check` for one server: asks, then lets `InspectFindings` judge.
///
/// Both ways in are tried: a login for SQL, and a replication connection.
struct InspectCheck: Sendable {
    let configuration: PostgresConfiguration

    func findings() throws(TidemarkError) -> [Finding] {
        let facts: Result<(InspectFacts, identity: String), TidemarkError> = attempt {
            () throws(TidemarkError) in try askSQL()
        }
        let identity: Result<String, TidemarkError> = attempt { () throws(TidemarkError) in
            try askReplication()
        }
        switch (facts, identity) {
        case (.failure, .failure(let error)):
            // Nothing can be asked; an absent server is an error of its own kind.
            guard error.code == .sourceRefused else { throw error }
            return [Finding(.error, error.message, remedy: error.remedy)]
        case (.failure(let error), .success):
            return [
                Finding(
                    .warning,
                    error.message
                        + "; the proof of the RPO then rests on the flush position alone, "
                        + "and restore points cannot be made", remedy: error.remedy)
            ]
        case (.success(let known), .failure(let error)):
            return [Finding(.error, error.message, remedy: error.remedy)] + judge(known.0)
        case (.success(let known), .success(let identity)):
            return same(known.identity, identity) + judge(known.0)
        }
    }

    private func attempt<Value>(
        _ body: () throws(TidemarkError) -> Value
    ) -> Result<Value, TidemarkError> {
        do throws(TidemarkError) { return .success(try body()) } catch { return .failure(error) }
    }

    private func judge(_ facts: InspectFacts) -> [Finding] {
        InspectFindings(facts: facts, configuration: configuration).all
    }

    /// With several hosts in the URL the two connections may meet different servers.
    private func same(_ a: String, _ b: String) -> [Finding] {
        if a == b {
            return [
                Finding(
                    .ok, "replication connection to \(configuration.place), system identifier \(a)")
            ]
        }
        return [
            Finding(
                .error,
                "the hosts of the URL are different clusters (system identifiers \(a), \(b))",
                remedy: "name only the hosts of one cluster in the URL")
        ]
    }

    private func askSQL() throws(TidemarkError) -> (InspectFacts, identity: String) {
        let connection = try Connection(configuration, .sql())
        let context = configuration.context(.sql(), place: connection.place)
        let version = connection.serverVersion
        try ServerVersion.check(version, context)
        let first = try connection.rows(
            "SELECT pg_is_in_recovery(), system_identifier FROM pg_control_system()")
        if first.first?.flag(0, 0) == true { throw ServerVersion.standby(context) }
        let sets = try connection.rows(InspectFacts.questions(configuration))
        guard var facts = InspectFacts(version: version, sets),
            let identity = first.first?.text(0, 1)
        else {
            throw TidemarkError(
                .sourceUnreachable, "Postgres at \(connection.place) gave an answer without sense",
                remedy: "make sure that the URL names a Postgres server, not a connection pooler")
        }
        if facts.mayReadSettings { facts.outsideFiles = try ServerFiles.outside(connection) }
        return (facts, identity)
    }

    private func askReplication() throws(TidemarkError) -> String {
        let connection = try Connection(configuration, .replication)
        let sets = try connection.rows("IDENTIFY_SYSTEM")
        guard let identity = sets.first?.text(0, 0) else {
            throw TidemarkError(
                .sourceUnreachable, "Postgres at \(connection.place) does not identify itself",
                remedy: "make sure that the URL names a Postgres server, not a connection pooler")
        }
        return identity
    }
}
