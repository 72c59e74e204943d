import Model

/// The settings that bring a restored copy to its stop and keep it from touching the original.
struct RecoverySettings: Sendable {
    /// The folder below the data directory that `wal fetch` reads ahead into.
    static let prefetchFolder = "tidemark-prefetch"

    /// What recovery on a copy may not have less of than the primary had
    /// (`CheckRequiredParameterValues`, xlogrecovery.c), and what a server takes by itself.
    static let limits = [
        ("max_connections", "100"), ("max_worker_processes", "8"), ("max_wal_senders", "10"),
        ("max_prepared_transactions", "0"), ("max_locks_per_transaction", "64"),
    ]

    /// Prepared transactions a recovering copy has room for at least. The source may have raised
    /// its own limit since the base backup, and with hot_standby off this is the only limit that
    /// replay itself runs into (`MarkAsPreparingGuts`, twophase.c). About 20 MB of memory.
    static let leastPrepared = 1000

    var order: RestoreOrder
    /// The server's settings as they were, by name.
    var recorded: [String: String] { order.backup.server.settings }

    /// Whether a database of the source holds TimescaleDB, or may hold it by the target: it may
    /// have been created since the base backup, or where the sidecar may not look.
    var hasTimescale: Bool {
        order.backup.server.extensions.keys.contains { $0.hasSuffix("/timescaledb") }
            || Self.loadsTimescale(recorded[Self.preloadName] ?? "")
    }

    /// What stays in force once the copy has been promoted. Written only where the copy's own files
    /// do not say the same, since what is written here is stronger than a later edit of those.
    func lasting(_ own: OwnSettings) -> [String] {
        var lines = ["# Written by `tidemark restore` for source \(order.source)."]
        // The source had them on its command line, or in a file that is not part of the copy.
        lines += Self.limits.compactMap { name, usual in
            guard let value = recorded[name], own.inForce(name, otherwise: usual) != value
            else { return nil }
            return "\(name) = \(SettingsFile.quoted(value))"
        }
        return lines + Self.protection + libraries(own)
    }

    /// Settings of `protection`, by name.
    static let protected = ["archive_mode", "synchronous_standby_names"]

    private static let protection = [
        "# A copy must not archive over its source, nor wait for the source's standbys.",
        "archive_mode = off",
        "synchronous_standby_names = ''",
    ]

    /// What recovery needs, and what stays in force.
    func lines(_ own: OwnSettings) -> [String] {
        var lines = [
            "# Written by `tidemark restore` for source \(order.source). Once the server has been",
            "# promoted, nothing here is needed any more except what you want to keep.",
            "restore_command = " + SettingsFile.quoted(command),
            "recovery_end_command = 'rm -rf \(Self.prefetchFolder)'",
        ]
        lines += target
        lines += limitLines
        lines += [
            "# Nobody reads a half-recovered copy, and raised limits in the WAL do not stop it.",
            "hot_standby = off",
        ]
        lines += Self.protection
        lines += libraries(own)
        return lines
    }

    private var command: String {
        order.fetchCommand.split(separator: "%", omittingEmptySubsequences: false)
            .joined(separator: "%%") + " %f %p"
    }

    /// The timeline is always a number: `latest` would follow any stranger's branch.
    private var target: [String] {
        var lines = ["recovery_target_timeline = '\(order.timeline)'"]
        if let stop = order.stop {
            lines += [
                "recovery_target_lsn = '\(LSN.text(stop.last))'",
                "recovery_target_inclusive = on",
            ]
        }
        return lines + ["recovery_target_action = 'promote'"]
    }

    private var limitLines: [String] {
        Self.limits.compactMap { name, _ in
            var value = recorded[name]
            if name == "max_prepared_transactions" {
                value = String(max(value.flatMap { Int($0) } ?? 0, Self.leastPrepared))
            }
            return value.map { "\(name) = \(SettingsFile.quoted($0))" }
        }
    }

    private func libraries(_ own: OwnSettings) -> [String] {
        var lines: [String] = []
        if let path = recorded["dynamic_library_path"],
            own.inForce("dynamic_library_path", otherwise: "$libdir") != path
        {
            lines.append("dynamic_library_path = " + SettingsFile.quoted(path))
        }
        if let libraries = preload(own) {
            let waiting = waiting(own, beside: libraries)
            if !waiting.isEmpty {
                let names = waiting.joined(separator: ", ")
                lines.append("# Set at the source but not loaded: " + names)
            }
            lines.append(Self.preloadName + " = " + SettingsFile.quoted(libraries))
        }
        if hasTimescale {
            lines += [
                "# Retention and compression jobs are overdue in a restored copy and would run at",
                "# once. Look at the data first, then remove this line.",
                "timescaledb.max_background_workers = 0",
            ]
        }
        return lines
    }
}

extension RecoverySettings {
    static let preloadName = "shared_preload_libraries"
    private static let timescale = "timescaledb"

    /// What the copy must load at its start; nil when its own files say so.
    ///
    /// What ran counts: a library that the files name beyond that may have been mistyped or never
    /// installed, and a server that cannot load one does not start. Only TimescaleDB is there
    /// wherever a database needs it or the files name it: without it answers over compressed chunks
    /// are short, and no error tells.
    private func preload(_ own: OwnSettings) -> String? {
        guard recorded[Self.preloadName] != nil || hasTimescale else { return nil }
        let named = own.last(Self.preloadName) ?? ""
        var value = recorded[Self.preloadName] ?? named
        if hasTimescale || Self.loadsTimescale(named), !Self.loadsTimescale(value) {
            value = Self.timescale + (value.isEmpty ? "" : ", ") + value
        }
        let inForce = own.inForce(Self.preloadName, otherwise: "").map(Self.names)
        return inForce.map { Set($0) == Set(Self.names(value)) } == true ? nil : value
    }

    /// Libraries that the copy's files name and its source had not loaded.
    private func waiting(_ own: OwnSettings, beside value: String) -> [String] {
        let loaded = Self.names(value)
        return Self.names(own.last(Self.preloadName) ?? "").filter { !loaded.contains($0) }
    }

    /// What the operator must know where a database needs TimescaleDB and the source is not known
    /// to have loaded it.
    var preloadWarning: String? {
        guard hasTimescale else { return nil }
        guard let known = recorded[Self.preloadName] else {
            return "\(Self.preloadName) of \(order.source) is not recorded, since the role might "
                + "not see it, and a database has TimescaleDB: the copy loads timescaledb and what "
                + "its own files name; compare with the source's list, and GRANT pg_monitor to the "
                + "role for the next base backup"
        }
        if Self.loadsTimescale(known) { return nil }
        return "\(order.source) ran without timescaledb in \(Self.preloadName) although a database "
            + "has it, so that answers over compressed chunks were short there; the copy loads it; "
            + "set it at the source too, and restart that"
    }

    private static func names(_ list: String) -> [String] {
        list.split(separator: ",").map { part in
            var name = part.drop { $0 == " " }
            while name.last == " " { name.removeLast() }
            return String(name)
        }.filter { !$0.isEmpty }
    }

    /// As a bare name, quoted, or with its folder.
    private static func loadsTimescale(_ list: String) -> Bool {
        names(list).contains { name in
            name.filter { $0 != "\"" }.split(separator: "/").last.map(String.init) == timescale
        }
    }
}
