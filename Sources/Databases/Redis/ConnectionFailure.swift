import Model

/// An error answer of the server: what it means and what to do about it.
struct ConnectionFailure: Sendable, Hashable {
    /// `NOPERM`, `ERR`, …
    let code: String
    let text: String

    init(_ text: String) {
        self.text = text
        code = String(text.prefix { $0 != " " })
    }

    /// What the ACL may grant: the line a source's user needs, in one place.
    ///
    /// - Parameter command: that was refused; archiving has no use for some of them (REPLICAOF).
    static func grant(_ configuration: RedisConfiguration, for command: String) -> String {
        let right = "+" + command.lowercased()
        let isAmong = rights.contains { $0 == right || $0.hasPrefix(right + "|") }
        return "ACL SETUSER \(configuration.aclUser) "
            + (rights + (isAmong ? [] : [right])).joined(separator: " ")
    }

    /// The least that streaming needs, then what `check`, the RPO and base backups ask for.
    static let rights = [
        "+psync", "+replconf", "+ping", "+info", "+time", "+role", "+config|get", "+client|setname",
        "+acl|getuser", "+acl|whoami",
    ]

    var isMissingRight: Bool { code == "NOPERM" }

    var isUnknownCommand: Bool {
        let lower = text.lowercased()
        return code == "ERR"
            && (lower.contains("unknown command") || lower.contains("unknown subcommand"))
    }

    /// - Parameter command: that was answered like this.
    func error(_ configuration: RedisConfiguration, command: String) -> TidemarkError {
        let place = "Redis at \(configuration.place)"
        switch code {
        case "NOAUTH":
            return refused(
                "\(place) wants a password",
                "put it into the source's url: redis://:password@host:6379")
        case "WRONGPASS":
            return refused(
                "\(place) does not take the password of user \(configuration.aclUser)",
                "correct the source's url, or run "
                    + "`ACL SETUSER \(configuration.aclUser) on >password`"
            )
        case "NOPERM":
            return refused(
                "user \(configuration.aclUser) at \(place) may not use \(command)",
                "run `\(Self.grant(configuration, for: command))`, then `ACL SAVE`")
        case "DENIED":
            return refused(
                "\(place) is in protected mode and only takes local connections",
                "set a password (`requirepass`) or bind it to the right address")
        case "LOADING", "BUSY", "MASTERDOWN", "NOMASTERLINK", "TRYAGAIN", "CLUSTERDOWN":
            return TidemarkError(
                .sourceUnreachable, "\(place) is not ready: \(text)",
                remedy: "Tidemark tries again by itself; see the server's log if this goes on")
        default: return other(place, configuration, command)
        }
    }

    private func other(
        _ place: String, _ configuration: RedisConfiguration, _ command: String
    ) -> TidemarkError {
        if isUnknownCommand {
            return refused(
                "\(place) does not know \(command)",
                "a hosted Redis often hides it: ask the provider for replication rights; with "
                    + "`rename-command` in redis.conf give it its own name back")
        }
        if text.contains("max number of clients") {
            return TidemarkError(
                .sourceUnreachable, "\(place) has no connection left",
                remedy: "raise `maxclients` (`CONFIG SET maxclients N`)")
        }
        if text.contains("called without any password") || text.contains("AUTH") {
            return refused(
                "\(place) refused the login: \(text)",
                "take the password out of the source's url, or set one on the server")
        }
        return refused("\(place) refused \(command): \(text)", "see the server's log")
    }

    private func refused(_ message: String, _ remedy: String) -> TidemarkError {
        TidemarkError(.sourceRefused, message, remedy: remedy)
    }
}
