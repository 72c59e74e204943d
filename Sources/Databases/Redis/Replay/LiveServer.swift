import Model

/// Whether a live server can take the restored data without losing any of it in silence.
struct LiveServer {
    private let order: RestoreOrder
    private let configuration: RedisConfiguration

    init(_ order: RestoreOrder, _ configuration: RedisConfiguration) {
        self.order = order
        self.configuration = configuration
    }

    /// Refuses a server that would lose data; returns what is to be said of one that would not.
    func check(_ connection: inout Connection) throws(TidemarkError) -> [String] {
        guard let info = try Questions.info(&connection) else {
            throw TidemarkError(
                .usage, "user \(configuration.aclUser) at \(configuration.place) may not use INFO",
                remedy: "restore as a user with all rights")
        }
        guard !info.isReplica, !info.isClusterNode, !info.isSentinel else {
            throw TidemarkError(
                .usage, "\(configuration.place) is a replica, a cluster's node or a Sentinel",
                remedy: "name a server of its own; `REPLICAOF NO ONE` makes a replica one")
        }
        try checkSource(info, connection.peerHost)
        guard info.keyCounts.isEmpty || order.force else {
            throw TidemarkError(
                .destinationOccupied,
                "\(configuration.place) holds keys (\(info.keyCounts.joined(separator: ", ")))",
                remedy: "name an empty server, or add --force to replace what is there")
        }
        try check(info.release)
        try checkModules(&connection)
        try checkSettings(&connection)
        return try users(info, &connection)
    }

    /// Never over the archive's own source, with or without --force.
    private func checkSource(_ info: ServerInfo, _ peer: String) throws(TidemarkError) {
        let check = try SourceCheck(order)
        guard let proof = check.proof(info, configuration.endpoint, peer) else { return }
        throw order.overItsSource(configuration.place, proof)
    }

    /// What is restored is written without MULTI and comes back; what its clients write later is
    /// not.
    private func users(
        _ info: ServerInfo, _ connection: inout Connection
    ) throws(TidemarkError) -> [String] {
        guard info["aof_enabled"] == "1", try Inspect.isDefaultUserOff(&connection) == true else {
            return []
        }
        return [
            "at \(configuration.place) user default is off and appendonly is on: at its next start "
                + "it will drop every transaction that clients make from now on; what is restored "
                + "holds none"
        ]
    }

    private func check(_ release: ServerRelease) throws(TidemarkError) {
        guard !order.canBeRead(by: release) else { return }
        throw TidemarkError(
            .usage,
            "\(configuration.place) is version \(release), the source was \(order.release), whose "
                + "RDB it cannot read",
            remedy: "fill a server of \(order.release.readers)")
    }

    private func checkModules(_ connection: inout Connection) throws(TidemarkError) {
        let wanted = order.backup.server.extensions
        guard !wanted.isEmpty,
            let listed = try connection.answerIfAllowed(["MODULE", "LIST"])?.elements
        else { return }
        let has = Set(listed.compactMap { $0.elements.count > 1 ? $0.elements[1].text : nil })
        let missing = wanted.keys.filter { !has.contains($0) }.sorted()
        guard missing.isEmpty else {
            throw TidemarkError(
                .usage,
                "\(configuration.place) has not loaded what the source had: "
                    + missing.map { "module \($0)" }.joined(separator: ", "),
                remedy: "load it there first (MODULE LOAD, or loadmodule in redis.conf)")
        }
    }

    private func checkSettings(_ connection: inout Connection) throws(TidemarkError) {
        let facts = order.backup.server.settings
        if let had = facts["databases"].flatMap({ Int($0) }),
            let has = try setting("databases", &connection).flatMap({ Int($0) }), has < had
        {
            throw refusal(
                "databases \(has)", "databases \(had)", "keys of the others would be lost")
        }
        guard let has = try setting("maxmemory", &connection).flatMap({ UInt64($0) }), has > 0,
            try setting("maxmemory-policy", &connection) != "noeviction"
        else { return }
        let had = facts["maxmemory"].flatMap { UInt64($0) } ?? 0
        guard had > 0, has >= had else {
            throw refusal("maxmemory \(has)", "maxmemory \(had)", "keys would be evicted")
        }
    }

    private func setting(
        _ name: String, _ connection: inout Connection
    ) throws(TidemarkError) -> String? {
        let answer = try connection.answerIfAllowed(["CONFIG", "GET", name])?.elements ?? []
        return answer.count == 2 ? answer[1].text : nil
    }

    private func refusal(_ has: String, _ wanted: String, _ why: String) -> TidemarkError {
        TidemarkError(
            .usage, "\(configuration.place) has `\(has)`, the source had `\(wanted)`: \(why)",
            remedy: "set `\(wanted)` there first")
    }
}
