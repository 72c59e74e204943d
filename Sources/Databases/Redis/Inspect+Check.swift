import Model
import Platform

// `check`: every missing right and every setting that would cost history, with what mends it.
extension Inspect {
    func check() throws(TidemarkError) -> [Finding] {
        try asking { (connection) throws(TidemarkError) in
            var findings = try rights(&connection)
            if let info = try Questions.info(&connection) {
                // Nothing else about it matters then.
                if info.isSentinel { return [Self.sentinelFinding] }
                findings += server(info)
                findings += try backlog(&connection, info)
                findings += persistence(info)
            }
            findings += try settings(&connection)
            findings += try users(&connection)
            findings += try sentinel(&connection)
            return findings
        }
    }

    // MARK: rights

    /// Tries every command that is used; none of these changes anything.
    private func rights(_ connection: inout Connection) throws(TidemarkError) -> [Finding] {
        let hidden = try hiddenCommands(&connection)
        guard hidden.isEmpty else { return [Self.hiddenFinding(hidden)] }
        var needed: [String] = []
        var wanted: [String] = []
        if try isRefused(["PING"], &connection) { needed.append("+ping") }
        if try isRefused(["REPLCONF", "capa", "psync2"], &connection) {
            needed.append("+replconf")
        }
        if try !mayStream(&connection) { needed.append("+psync") }
        let questions: [([String], String)] = [
            (["INFO", "replication"], "+info"), (["TIME"], "+time"), (["ROLE"], "+role"),
            (["CONFIG", "GET", "databases"], "+config|get"),
            (["CLIENT", "SETNAME", configuration.clientName + "-probe"], "+client|setname"),
            (["ACL", "WHOAMI"], "+acl|whoami"), (["ACL", "GETUSER", "default"], "+acl|getuser"),
        ]
        for (words, right) in questions where try isRefused(words, &connection) {
            wanted.append(right)
        }
        var findings: [Finding] = []
        let user = configuration.aclUser
        if needed.isEmpty {
            findings.append(Finding(.ok, "user \(user) may stream"))
        } else {
            findings.append(
                Finding(
                    .error, "user \(user) lacks rights without which nothing can be archived",
                    remedy: "ACL SETUSER \(user) \((needed + wanted).joined(separator: " "))"))
        }
        if needed.isEmpty, !wanted.isEmpty {
            let knowsEnd = try mayKnowEnd(&connection)
            let isBlind = wanted.contains("+info") && !knowsEnd
            findings.append(
                Finding(
                    isBlind ? .error : .warning,
                    "user \(user) lacks rights for proofs and findings"
                        + (isBlind
                            ? "; without INFO, or a primary's ROLE, nobody knows how far the "
                                + "archive is behind: it streams, and no exposure is proved" : ""),
                    remedy: "ACL SETUSER \(user) \(wanted.joined(separator: " "))"))
        }
        return findings
    }

    /// Whether ROLE tells where the history ends; that of a replica does not say how old it is.
    private func mayKnowEnd(_ connection: inout Connection) throws(TidemarkError) -> Bool {
        guard let role = try connection.answerIfAllowed(["ROLE"])?.elements.first else {
            return false
        }
        return role.text != "slave"
    }

    /// What streaming needs and the server does not know, whoever asks.
    private func hiddenCommands(
        _ connection: inout Connection
    ) throws(TidemarkError) -> [String] {
        var questions = [["PING"], ["REPLCONF", "capa", "psync2"]]
        if let version = try Questions.version(&connection), version >= .filtering {
            questions.append(["PSYNC", "?", "none"])
        }
        var hidden: [String] = []
        for words in questions {
            if case .error(let text) = try connection.ask(words),
                ConnectionFailure(text).isUnknownCommand
            {
                hidden.append(words[0])
            }
        }
        return hidden
    }

    private static func hiddenFinding(_ hidden: [String]) -> Finding {
        Finding(
            .error,
            "the server does not know \(hidden.joined(separator: ", ")), without which nothing can "
                + "be archived",
            remedy: "give them their own names back (`rename-command` in redis.conf); a hosted "
                + "Redis often hides them: ask the provider for replication rights")
    }

    private func isRefused(
        _ words: [String], _ connection: inout Connection
    ) throws(TidemarkError) -> Bool {
        if case .error(let text) = try connection.ask(words) {
            return ConnectionFailure(text).isMissingRight
        }
        return false
    }

    /// PSYNC with an offset that is no number: refused for want of rights, or for the number.
    /// Servers before 7.0 would begin a full resync; there the stream itself will tell.
    private func mayStream(_ connection: inout Connection) throws(TidemarkError) -> Bool {
        guard let version = try Questions.version(&connection), version >= .filtering else {
            return true
        }
        return try !isRefused(["PSYNC", "?", "none"], &connection)
    }

    // MARK: the server

    private static let sentinelFinding = Finding(
        .error, "this is a Sentinel, which has no data",
        remedy: "give the address of the Redis server that it watches")

    private func server(_ info: ServerInfo) -> [Finding] {
        var findings = [
            Finding(
                .ok,
                "\(info.product), history \(info.history ?? "unknown"); restores need "
                    + info.release.readers)
        ]
        if info.version < .resumable {
            findings.append(
                Finding(
                    .error, "\(info.product) cannot be archived",
                    remedy: "upgrade to 4.0 or later"))
        } else if info.version < .filtering {
            findings.append(
                Finding(
                    .warning,
                    "\(info.product) writes relative expiry times into its "
                        + "stream, which restores count from when they were received, and begins "
                        + "a new history at each restart: each costs a gap and a base backup",
                    remedy: "upgrade to 7.0 or later"))
        }
        if info.isClusterNode {
            findings.append(
                Finding(
                    .warning, "this is one node of a cluster: only its own slots are archived",
                    remedy: "add a source for every shard"))
        }
        if info.isReplica {
            findings.append(
                Finding(
                    .warning,
                    "this is a replica of \(info["master_host"] ?? "another server"); WAIT "
                        + "on the primary does not count the archive, and what is proved "
                        + "(restorable_to) is about what this replica has received",
                    remedy: "archive the primary if WAIT shall mean archived and proofs shall "
                        + "speak for it"))
        }
        return findings
    }

    /// Whether the backlog holds a minute of traffic, of which a second is measured.
    private func backlog(
        _ connection: inout Connection, _ before: ServerInfo
    ) throws(TidemarkError) -> [Finding] {
        guard let size = before.backlogBytes else { return [] }
        let asked = time.monotonic()
        _ = try connection.wait(seconds: 1)
        // Nothing else is said on this connection.
        guard let after = try Questions.info(&connection) else { return [] }
        let seconds = max(time.monotonic().seconds(since: asked), 0.001)
        let traffic = BacklogTraffic(before, after, seconds: seconds)
        let message = "repl-backlog-size is \(ByteCount(size)), \(traffic.held(by: size))"
        guard let objection = traffic.objection(to: size) else { return [Finding(.ok, message)] }
        return [
            Finding(
                .warning, message + objection,
                remedy: "CONFIG SET repl-backlog-size \(traffic.needed), and CONFIG REWRITE")
        ]
    }

    private func persistence(_ info: ServerInfo) -> [Finding] {
        guard info["aof_enabled"] == "1" else { return [] }
        return [
            Finding(
                .warning,
                "with AOF a restart of the server begins a new history: each costs a gap "
                    + "from the last archived byte to the new base backup",
                remedy: "let WAIT 1 guard the writes that must not be lost, or run without AOF "
                    + "(`CONFIG SET appendonly no`): the archive is finer")
        ]
    }

    // MARK: settings

    private func settings(_ connection: inout Connection) throws(TidemarkError) -> [Finding] {
        var findings: [Finding] = []
        if let limits = try setting("client-output-buffer-limit", &connection) {
            findings += outputLimit(limits)
        }
        if let save = try setting("save", &connection), save.isEmpty,
            try setting("appendonly", &connection) == "no"
        {
            findings.append(
                Finding(
                    .warning,
                    "the server saves nothing by itself: after a crash it starts empty and "
                        + "with a new history",
                    remedy: "CONFIG SET save \"3600 1\", and CONFIG REWRITE"))
        }
        if let count = try setting("min-replicas-to-write", &connection), count != "0" {
            findings.append(
                Finding(
                    .warning, "min-replicas-to-write is \(count): the archive counts as a replica",
                    remedy: "CONFIG SET min-replicas-to-write \((Int(count) ?? 0) + 1)"))
        }
        if let databases = try setting("databases", &connection) {
            findings.append(Finding(.ok, "\(databases) databases; a restored server needs as many"))
        }
        return findings
    }

    /// `… slave 268435456 67108864 60 …`
    private func outputLimit(_ text: String) -> [Finding] {
        let words = text.split(separator: " ")
        guard let place = words.firstIndex(where: { $0 == "slave" || $0 == "replica" }),
            place + 3 < words.count, let hard = UInt64(words[place + 1]),
            let soft = UInt64(words[place + 2])
        else { return [] }
        let least: UInt64 = 64 << 20
        if (hard == 0 || hard >= 4 * least) && (soft == 0 || soft >= least) {
            return [Finding(.ok, "client-output-buffer-limit replica \(hard) \(soft)")]
        }
        return [
            Finding(
                .warning,
                "client-output-buffer-limit replica is \(hard) \(soft): the server drops "
                    + "the archiver when that much waits for it",
                remedy: "CONFIG SET client-output-buffer-limit \"replica 256mb 64mb 60\"")
        ]
    }

    private func setting(
        _ name: String, _ connection: inout Connection
    ) throws(TidemarkError) -> String? {
        let reply = try connection.answerIfAllowed(["CONFIG", "GET", name])
        guard let pair = reply?.elements, pair.count == 2 else { return nil }
        return pair[1].text
    }

    // MARK: surroundings

    private func users(_ connection: inout Connection) throws(TidemarkError) -> [Finding] {
        guard try Self.isDefaultUserOff(&connection) == true else { return [] }
        return [
            Finding(
                .warning,
                "user default is off: a server with this setting drops every transaction "
                    + "when it loads an AOF",
                remedy: "restores write the commands without MULTI; do the same for your own AOF "
                    + "files, or keep `user default on` with a password")
        ]
    }

    /// Nil when it cannot be asked.
    static func isDefaultUserOff(_ connection: inout Connection) throws(TidemarkError) -> Bool? {
        guard let user = try connection.answerIfAllowed(["ACL", "GETUSER", "default"])?.elements,
            let place = user.firstIndex(where: { $0.text == "flags" }), place + 1 < user.count
        else { return nil }
        return user[place + 1].elements.contains { $0.text == "off" }
    }

    private func sentinel(_ connection: inout Connection) throws(TidemarkError) -> [Finding] {
        let channel = "__sentinel__:hello"
        let reply = try connection.answerIfAllowed(["PUBSUB", "NUMSUB", channel])
        guard let pair = reply?.elements, pair.count == 2, case .integer(let count) = pair[1],
            count > 0
        else { return [] }
        return [
            Finding(
                .warning,
                "a Sentinel watches this server and lists the archiver as a replica that "
                    + "is down; it never promotes it",
                remedy: "archive a replica instead, where Sentinel does not see us, and after a "
                    + "failover run SENTINEL RESET")
        ]
    }
}
