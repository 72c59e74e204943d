import Model

/// `check` for one server: asks, then lets `InspectFindings` judge.
///
/// Both ways in are tried: a login for SQL, and a replication connection.
struct InspectCheck: Sendable {
    let configuration: PostgresConfiguration

    private struct Answer {
        var facts: InspectFacts
        var identity: String
    }

    func findings() throws(TidemarkError) -> [Finding] {
        let bySQL = attempt { () throws(TidemarkError) in try askSQL() }
        let byStream = attempt { () throws(TidemarkError) in try askReplication() }
        switch (bySQL, byStream) {
        case (.failure(let login), .failure(let error)):
            // Nothing can be asked; an absent server is an error of its own kind.
            guard error.code == .sourceRefused else { throw error }
            let stream = Finding(.error, error.message, remedy: error.remedy)
            return login.message == error.message ? [stream] : [stream, withoutSQL(login)]
        case (.failure(let error), .success(let known)):
            return [withoutSQL(error)] + judge(known.facts)
        case (.success(let known), .failure(let error)):
            return [Finding(.error, error.message, remedy: error.remedy)] + judge(known.facts)
        case (.success(let known), .success(let other)):
            return same(known.identity, other.identity) + judge(known.facts)
        }
    }

    /// `run` goes on without such a login, with less.
    private func withoutSQL(_ error: TidemarkError) -> Finding {
        Finding(
            .warning,
            error.message
                + "; the proof of the RPO then rests on the flush position alone, "
                + "and restore points cannot be made", remedy: error.remedy)
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

    private func askSQL() throws(TidemarkError) -> Answer {
        let connection = try Connection(configuration, .sql())
        let context = configuration.context(.sql(), place: connection.place)
        let version = connection.serverVersion
        try ServerVersion.check(version, context)
        let first = try connection.rows(
            "SELECT pg_is_in_recovery(), system_identifier FROM pg_control_system()")
        let sets = try connection.rows(InspectFacts.questions(configuration))
        guard var facts = InspectFacts(version: version, sets),
            let identity = first.first?.text(0, 1)
        else {
            throw TidemarkError(
                .sourceUnreachable, "Postgres at \(connection.place) gave an answer without sense",
                remedy: "make sure that the URL names a Postgres server, not a connection pooler")
        }
        facts.isStandby = first.first?.flag(0, 0) ?? false
        if facts.mayReadSettings { facts.outsideFiles = try ServerFiles.outside(connection) }
        return Answer(facts: facts, identity: identity)
    }

    /// What a replication connection tells, for servers where it is the only way in.
    private func askReplication() throws(TidemarkError) -> Answer {
        let connection = try Connection(configuration, .replication)
        let version = connection.serverVersion
        try ServerVersion.check(
            version, configuration.context(.replication, place: connection.place))
        let sets = try connection.rows("IDENTIFY_SYSTEM")
        guard let identity = sets.first?.text(0, 0) else {
            throw TidemarkError(
                .sourceUnreachable, "Postgres at \(connection.place) does not identify itself",
                remedy: "make sure that the URL names a Postgres server, not a connection pooler")
        }
        var shown: [String: String] = [:]
        for name in InspectFacts.shown {
            // A setting that this role may not see, or this version does not know, is left out.
            for case .rows(let rows) in try connection.ask("SHOW \(name)") {
                shown[name] = rows.text(0, 0)
            }
        }
        var slot: ConnectionRows?
        if version >= 150_000 {
            let command = "READ_REPLICATION_SLOT \(SQL.quoted(configuration.slot))"
            slot = try connection.rows(command).first
        }
        var facts = InspectFacts(version: version, shown: shown, slot: slot)
        facts.isStandby = try ServerVersion.isStandby(connection)
        return Answer(facts: facts, identity: identity)
    }
}
