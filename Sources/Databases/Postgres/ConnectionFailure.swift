import Model

/// What the server, or libpq on its behalf, said when it refused something.
///
/// One table turns it into our own message with the statement that mends it. The SQLSTATE decides;
/// words are looked at only where one code has several meanings, and then only words that the
/// server's translations keep (names of settings and files).
struct ConnectionFailure: Error, Sendable, Equatable {
    /// SQLSTATE; empty when the server was not reached or libpq itself objected.
    var state: String
    var message: String
    var detail: String

    init(state: String, message: String, detail: String = "") {
        self.state = state
        self.message = message
        self.detail = detail
    }

    /// Who talked to whom, for the words.
    struct Context: Sendable {
        /// `db.example:5432`
        var place: String
        var user: String
        var database: String
        var slot: String
        var isReplication: Bool
        /// The slot has the name that only Tidemark gives; nobody chose it.
        var isSlotByDefault = false
    }

    func error(_ context: Context) -> TidemarkError {
        switch state {
        case "": unreached(context)
        case "28P01": wrongPassword(context)
        case "28000": notAdmitted(context)
        case "42501": notPermitted(context)
        case "3D000": noDatabase(context)
        case "53300": tooMany(context)
        case "53400": noFreeSlot(context)
        case "55006": slotInUse(context)
        case "42704": noSlot(context)
        case "55000": notPrepared(context)
        case "58P01": removed(context)
        default: other(context)
        }
    }
}

// MARK: one case each

extension ConnectionFailure {
    private func wrongPassword(_ context: Context) -> TidemarkError {
        TidemarkError(
            .sourceRefused, "Postgres at \(context.place) refused the password of \(context.user)",
            remedy: "correct the password in the source's URL, or set it on the server: "
                + "ALTER ROLE \(SQL.name(context.user)) PASSWORD '…'")
    }

    private func notAdmitted(_ context: Context) -> TidemarkError {
        guard message.contains("pg_hba.conf") else {
            return TidemarkError(
                .sourceRefused,
                "Postgres at \(context.place) does not admit \(context.user): \(message)",
                remedy: "CREATE ROLE \(SQL.name(context.user)) LOGIN REPLICATION PASSWORD '…'")
        }
        let database = context.isReplication ? "replication" : SQL.name(context.database)
        return TidemarkError(
            .sourceRefused,
            "pg_hba.conf of Postgres at \(context.place) admits no "
                + (context.isReplication
                    ? "replication connection of \(context.user)"
                    : "connection of \(context.user) to database \(context.database)"),
            remedy: "add this line to pg_hba.conf and run SELECT pg_reload_conf(): "
                + accessLine(database, context.user))
    }

    /// The pg_hba.conf line for the address that the server saw: the first word in quotes.
    private func accessLine(_ database: String, _ user: String) -> String {
        let words = message.split(whereSeparator: { "\"«»„“”".contains($0) })
        let address = words.dropFirst().first.map(String.init) ?? ""
        let name = SQL.name(user)
        if address.contains(":") { return "host \(database) \(name) \(address)/128 scram-sha-256" }
        guard address.split(separator: ".").count == 4 else {
            return "local \(database) \(name) scram-sha-256"
        }
        return "host \(database) \(name) \(address)/32 scram-sha-256"
    }

    private func notPermitted(_ context: Context) -> TidemarkError {
        let user = SQL.name(context.user)
        if context.isReplication {
            return TidemarkError(
                .sourceRefused,
                "role \(context.user) of Postgres at \(context.place) may not replicate",
                remedy: "ALTER ROLE \(user) REPLICATION")
        }
        let database = SQL.name(context.database)
        return TidemarkError(
            .sourceRefused,
            "role \(context.user) of Postgres at \(context.place) lacks a privilege: \(message)",
            remedy: "GRANT CONNECT ON DATABASE \(database) TO \(user); GRANT pg_monitor TO \(user)")
    }

    private func noDatabase(_ context: Context) -> TidemarkError {
        TidemarkError(
            .sourceRefused, "Postgres at \(context.place) has no database \(context.database)",
            remedy: "name an existing database at the end of the source's URL, such as /postgres")
    }

    /// Retried, since a backup of somebody else may hold the last place for a while.
    private func tooMany(_ context: Context) -> TidemarkError {
        guard message.contains("max_wal_senders") else {
            return TidemarkError(
                .sourceUnreachable,
                "Postgres at \(context.place) has no connection left: \(message)",
                remedy: "ALTER SYSTEM SET max_connections = …; -- then restart the server")
        }
        guard let limit = Self.lastNumber(message), limit > 0 else {
            return TidemarkError(
                .sourceRefused,
                "Postgres at \(context.place) does not stream WAL: max_wal_senders is 0",
                remedy: "ALTER SYSTEM SET wal_level = 'replica'; "
                    + "ALTER SYSTEM SET max_wal_senders = 10; -- then restart the server")
        }
        return TidemarkError(
            .sourceUnreachable,
            "all \(limit) WAL senders of Postgres at \(context.place) are in use",
            remedy: "ALTER SYSTEM SET max_wal_senders = \(limit + 5); -- then restart the server")
    }

    private func noFreeSlot(_ context: Context) -> TidemarkError {
        TidemarkError(
            .sourceRefused,
            "Postgres at \(context.place) has no free replication slot for \(context.slot)",
            remedy:
                "drop one that nobody uses (SELECT slot_name FROM pg_replication_slots WHERE NOT "
                + "active; SELECT pg_drop_replication_slot('…')), or raise max_replication_slots "
                + "and restart the server")
    }

    /// Retried: it may be our own connection of a moment ago, which the server still believes in.
    private func slotInUse(_ context: Context) -> TidemarkError {
        let process = Self.lastNumber(message)
        let holder = process.map { "process \($0)" } ?? "another process"
        return TidemarkError(
            .sourceUnreachable,
            "replication slot \(context.slot) at \(context.place) is in use by \(holder)",
            remedy: "stop the other archiver on this slot; if it is already dead: "
                + "SELECT pg_terminate_backend(\(process.map(String.init) ?? "…"))")
    }

    private func noSlot(_ context: Context) -> TidemarkError {
        TidemarkError(
            .sourceUnreachable,
            "replication slot \(context.slot) vanished from Postgres at \(context.place)",
            remedy: "leave this slot to Tidemark; it is created again on the next attempt")
    }

    private func notPrepared(_ context: Context) -> TidemarkError {
        if message.contains("wal_level") {
            return TidemarkError(
                .sourceRefused, "wal_level of Postgres at \(context.place) is minimal",
                remedy: "ALTER SYSTEM SET wal_level = 'replica'; -- then restart the server")
        }
        if message.contains("max_replication_slots") {
            return TidemarkError(
                .sourceRefused, "max_replication_slots of Postgres at \(context.place) is 0",
                remedy: "ALTER SYSTEM SET max_replication_slots = 10; -- then restart the server")
        }
        if isSlotInvalidated {
            return TidemarkError(
                .historyLost,
                "replication slot \(context.slot) at \(context.place) was invalidated: \(message)",
                remedy: "raise max_slot_wal_keep_size (-1: without limit)")
        }
        return other(context)
    }

    private func removed(_ context: Context) -> TidemarkError {
        TidemarkError(
            .historyLost, "Postgres at \(context.place) no longer has the WAL: \(message)",
            remedy: "raise max_slot_wal_keep_size (-1: without limit), so that the slot keeps it")
    }

    private func other(_ context: Context) -> TidemarkError {
        let more = detail.isEmpty ? "" : " (\(detail))"
        // 57: shutting down, starting up, terminated. 08: connection. 40, 53: try again.
        switch state.prefix(2) {
        case "57":
            return TidemarkError(
                .sourceUnreachable,
                "Postgres at \(context.place) is not taking connections: \(message)\(more)",
                remedy: "wait until the server has started; Tidemark tries again by itself")
        case "08", "40", "53":
            return TidemarkError(
                .sourceUnreachable, "Postgres at \(context.place) failed: \(message)\(more)",
                remedy: "see the server's log")
        default:
            return TidemarkError(
                .sourceRefused,
                "Postgres at \(context.place) refused with \(state): \(message)\(more)",
                remedy: "see the server's log")
        }
    }
}

// MARK: libpq's own words

extension ConnectionFailure {
    /// Words of libpq (always English: this program sets no locale) that a retry does not mend.
    private func unreached(_ context: Context) -> TidemarkError {
        let text = message
        if text.contains("no password supplied") {
            return TidemarkError(
                .sourceRefused, "Postgres at \(context.place) wants a password for \(context.user)",
                remedy:
                    "put it into the source's URL (postgresql://\(context.user):…@…), or name a "
                    + "password file: …?passfile=/path")
        }
        let isTrust = ["certificate", "SSL", "channel binding", "GSS"].contains {
            text.contains($0)
        }
        if isTrust, !text.contains("closed unexpectedly"), !text.contains("SYSCALL") {
            return TidemarkError(
                .sourceRefused, "no secure connection to Postgres at \(context.place): \(text)",
                remedy: "correct sslmode, sslrootcert, sslcert and sslkey in the source's URL")
        }
        if text.contains("translate host name") {
            return TidemarkError(
                .sourceUnreachable, "the host of \(context.place) has no address: \(text)",
                remedy: "correct the host in the source's URL, or the name service of this machine")
        }
        if text.contains("session is") || text.contains("hot standby") {
            return TidemarkError(
                .sourceUnreachable, "no server of the source's URL is a primary: \(text)",
                remedy: "name every host of the cluster in the URL; "
                    + "one of them has to be promoted (pg_ctl promote)")
        }
        return TidemarkError(
            .sourceUnreachable, "Postgres at \(context.place) does not answer: \(text)",
            remedy: "start the server, or correct host and port in the source's URL")
    }
}

// MARK: reading messages

extension ConnectionFailure {
    /// Whether the slot's WAL was given up by the server (since 14 in words, since 18 at the
    /// start).
    var isSlotInvalidated: Bool {
        state == "55000"
            && (message.contains("can no longer") || detail.contains("invalidated"))
    }

    /// From libpq's text of a failed connection at verbosity "verbose".
    ///
    /// Each line of a server's refusal looks like `…: FATAL:  28P01: words`, in any language of the
    /// server; the last one counts when several hosts were tried.
    init(connectionText text: String) {
        self.init(state: "", message: Self.flat(text))
        for line in text.split(separator: "\n") {
            guard let found = Self.codedMessage(line) else { continue }
            self = ConnectionFailure(state: found.state, message: Self.flat(found.message))
        }
    }

    /// `…:  28P01: words` → code and words.
    private static func codedMessage(_ line: Substring) -> (state: String, message: String)? {
        var rest = line
        while let colon = rest.firstIndex(of: ":") {
            rest = rest[rest.index(after: colon)...]
            guard rest.hasPrefix("  ") else { continue }
            let word = rest.dropFirst(2)
            let code = word.prefix(5)
            if code.utf8.count == 5, word.dropFirst(5).hasPrefix(": "),
                code.allSatisfy({ $0.isNumber || $0.isUppercase })
            {
                return (String(code), String(word.dropFirst(7)))
            }
        }
        return nil
    }

    /// One line without libpq's line ends; never endless.
    static func flat(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline).map {
            String($0.drop { $0 == " " || $0 == "\t" })
        }
        let kept = lines.filter { !$0.hasPrefix("LOCATION:") }.joined(separator: "; ")
        return String(kept.prefix(600))
    }

    /// The last run of digits in a message: the process or limit it names, in any language.
    static func lastNumber(_ text: String) -> Int? {
        text.split { !("0"..."9").contains($0) }.last.flatMap { Int($0) }
    }
}
