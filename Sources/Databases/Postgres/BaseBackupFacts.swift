import Model

/// What a restore must know of the server and BASE_BACKUP does not send.
///
/// Whatever the role may not see becomes a warning of the backup, never its failure.
struct BaseBackupFacts: Sendable {
    var identity: String?
    var settings: [String: String] = [:]
    var extensions: [String: String] = [:]
    var configuration: [(path: String, content: [UInt8])] = []
    var warnings: [String] = []

    /// Most databases that are asked for their extensions.
    private static let databases = 500
    /// Longest wait for a connection's answers.
    private static let seconds = 60.0

    /// What recovery cannot do without, what a faithful restart needs, and where files lay.
    static let settingNames = [
        "max_connections", "max_wal_senders", "max_worker_processes", "max_prepared_transactions",
        "max_locks_per_transaction", "shared_preload_libraries", "wal_segment_size",
        "wal_block_size", "block_size", "data_checksums", "config_file", "hba_file", "ident_file",
        "data_directory", "TimeZone", "lc_collate", "lc_ctype", "lc_messages", "lc_monetary",
        "lc_numeric", "lc_time", "server_encoding", "server_version", "wal_level", "wal_log_hints",
        "track_commit_timestamp", "archive_mode", "port", "log_timezone", "cluster_name",
        "default_text_search_config", "dynamic_library_path",
    ]

    /// Asks by SQL; a refused login leaves everything but a warning empty.
    static func gather(_ configuration: PostgresConfiguration) throws(TidemarkError)
        -> BaseBackupFacts
    {
        var facts = BaseBackupFacts()
        do throws(TidemarkError) {
            let connection = try Connection(configuration, .sql())
            try facts.ask(connection, configuration)
        } catch {
            guard error.code == .sourceRefused else { throw error }
            facts.warnings.append(
                "extensions and configuration files are not recorded: " + error.message)
        }
        return facts
    }

    private mutating func ask(
        _ connection: borrowing Connection, _ configuration: PostgresConfiguration
    ) throws(TidemarkError) {
        let names = Self.settingNames.map { SQL.literal($0) }.joined(separator: ",")
        let sets = try connection.rows(
            """
            SELECT system_identifier FROM pg_control_system();
            SELECT name, current_setting(name) FROM pg_settings WHERE name IN (\(names));
            SELECT datname FROM pg_database WHERE datallowconn
                AND has_database_privilege(datname, 'CONNECT') ORDER BY 1 LIMIT \(Self.databases)
            """, seconds: Self.seconds)
        guard sets.count == 3 else { return }
        identity = sets[0].text(0, 0)
        for row in 0..<sets[1].count {
            guard let name = sets[1].text(row, 0) else { continue }
            settings[name] = sets[1].text(row, 1)
        }
        if settings["shared_preload_libraries"] == nil {
            warnings.append(
                "shared_preload_libraries is not recorded, since \(configuration.user) may not see "
                    + "it; GRANT pg_monitor TO \(SQL.name(configuration.user))")
        }
        for row in 0..<sets[2].count {
            guard let database = sets[2].text(row, 0) else { continue }
            askExtensions(configuration, database)
        }
        try readFiles(connection, configuration)
    }

    private mutating func askExtensions(_ configuration: PostgresConfiguration, _ database: String)
    {
        do throws(TidemarkError) {
            let connection = try Connection(configuration, .sql(database: database))
            let sets = try connection.rows(
                "SELECT extname, extversion FROM pg_extension", seconds: Self.seconds)
            guard let rows = sets.first else { return }
            for row in 0..<rows.count {
                guard let name = rows.text(row, 0) else { continue }
                extensions["\(database)/\(name)"] = rows.text(row, 1)
            }
        } catch {
            warnings.append("extensions of database \(database) are not recorded: \(error.message)")
        }
    }

    private mutating func readFiles(
        _ connection: borrowing Connection, _ configuration: PostgresConfiguration
    ) throws(TidemarkError) {
        guard let files = try ServerFiles.outside(connection) else {
            warnings.append(
                "configuration files outside the data directory are not recorded, if any, "
                    + "since \(configuration.user) may not see where they are; GRANT pg_monitor TO "
                    + SQL.name(configuration.user))
            return
        }
        for path in files {
            let replies = try connection.ask(
                "SELECT pg_read_binary_file(\(SQL.literal(path)))", seconds: Self.seconds)
            switch replies.first {
            case .rows(let rows):
                keep(path, rows.binary(0, 0))
            case .failed(let failure):
                warnings.append(
                    "\(path) is not recorded: \(failure.message); "
                        + ServerFiles.grant(SQL.name(configuration.user)))
            default: break
            }
        }
    }

    private mutating func keep(_ path: String, _ content: [UInt8]?) {
        guard let content, content.count <= ServerFiles.limitBytes else {
            warnings.append("\(path) is not recorded: it is larger than 1 MiB")
            return
        }
        configuration.append((path, content))
    }
}
