import Model

/// The settings that bring a restored copy to its stop and keep it from touching the original.
struct RecoverySettings: Sendable {
    /// The folder below the data directory that `wal fetch` reads ahead into.
    static let prefetchFolder = "tidemark-prefetch"

    /// What recovery on a copy may not have less of than the primary had
    /// (`CheckRequiredParameterValues`, xlogrecovery.c).
    static let limits = [
        "max_connections", "max_worker_processes", "max_wal_senders",
        "max_prepared_transactions", "max_locks_per_transaction",
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
            || recorded["shared_preload_libraries"]?.contains("timescaledb") == true
    }

    /// What stays in force once the copy has been promoted.
    ///
    /// - Parameter needsPreload: the server's configuration file is not part of the copy.
    func lasting(needsPreload: Bool) -> [String] {
        var lines = ["# Written by `tidemark restore` for source \(order.source)."]
        // Where the source's own file is not here, its limits are nowhere else.
        if needsPreload {
            lines += Self.limits.compactMap { name in
                recorded[name].map { "\(name) = \(SettingsFile.quoted($0))" }
            }
        }
        return lines + Self.protection + preload(needsPreload)
    }

    /// Settings of `protection`, by name.
    static let protected = ["archive_mode", "synchronous_standby_names"]

    private static let protection = [
        "# A copy must not archive over its source, nor wait for the source's standbys.",
        "archive_mode = off",
        "synchronous_standby_names = ''",
    ]

    /// - Parameter needsPreload: the server's configuration file is not part of the copy.
    func lines(needsPreload: Bool) -> [String] {
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
        lines += preload(needsPreload)
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
        Self.limits.compactMap { name in
            var value = recorded[name]
            if name == "max_prepared_transactions" {
                value = String(max(value.flatMap { Int($0) } ?? 0, Self.leastPrepared))
            }
            return value.map { "\(name) = \(SettingsFile.quoted($0))" }
        }
    }

    private func preload(_ needed: Bool) -> [String] {
        var lines: [String] = []
        if needed, let path = recorded["dynamic_library_path"], path != "$libdir" {
            lines.append("dynamic_library_path = " + SettingsFile.quoted(path))
        }
        if needed, let libraries = recorded["shared_preload_libraries"], !libraries.isEmpty {
            lines.append("shared_preload_libraries = " + SettingsFile.quoted(libraries))
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
