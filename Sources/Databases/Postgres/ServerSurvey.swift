import Model

/// What a restore must know of the server and no tar contains: settings, extensions, and the
/// configuration files that lie outside the data directory (on Debian all of them).
struct ServerSurvey {
    var facts = ServerFacts(identity: "", version: "")
    var configuration: [(path: String, content: [UInt8])] = []
    /// What could not be looked at, with the statement that allows it.
    var warnings: [String] = []

    /// Settings that recovery or a faithful restart needs.
    private static let settings = [
        "max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions",
        "max_locks_per_transaction", "shared_preload_libraries", "wal_segment_size", "block_size",
        "data_checksums", "data_directory", "config_file", "hba_file", "ident_file", "wal_level",
        "TimeZone", "log_timezone", "lc_messages", "lc_monetary", "lc_numeric", "lc_time",
        "server_encoding", "default_text_search_config", "track_commit_timestamp", "wal_log_hints",
        "dynamic_library_path", "cluster_name",
    ]

    /// Asks over SQL. A server that admits no SQL still gives a base backup, with a warning.
    static func take(_ configuration: PostgresConfiguration) throws(TidemarkError) -> ServerSurvey {
        var survey = ServerSurvey()
        let connection: Connection
        do throws(TidemarkError) {
            connection = try Connection(configuration, .sql())
        } catch {
            survey.warnings.append(
                "settings, extensions and outside configuration files are not recorded: \(error.message)")
            return survey
        }
        try survey.readSettings(connection)
        survey.readFiles(connection, configuration.user)
        try survey.readExtensions(connection, configuration)
        return survey
    }

    private mutating func readSettings(_ connection: borrowing Connection) throws(TidemarkError) {
        let names = Self.settings.map(SQL.literal).joined(separator: ",")
        let rows = try connection.table("SELECT name, setting FROM pg_settings WHERE name IN (\(names))")
        for row in 0..<rows.count {
            guard let name = rows.text(row, 0) else { continue }
            facts.settings[name] = rows.text(row, 1) ?? ""
        }
    }

    private mutating func readFiles(_ connection: borrowing Connection, _ user: String) {
        let grant = "GRANT pg_read_all_settings, pg_read_server_files TO \(SQL.name(user))"
        guard let data = facts.settings["data_directory"] else {
            warnings.append("configuration files outside the data directory are not recorded: \(grant)")
            return
        }
        var paths = ["config_file", "hba_file", "ident_file"].compactMap { facts.settings[$0] }
        do throws(TidemarkError) {
            let rows = try connection.table(
                "SELECT DISTINCT sourcefile FROM pg_settings WHERE sourcefile IS NOT NULL")
            paths += (0..<rows.count).compactMap { rows.text($0, 0) }
        } catch {
            warnings.append("included configuration files are not known: \(error.message)")
        }
        for path in Set(paths).sorted() where !path.hasPrefix(data + "/") && !path.isEmpty {
            do throws(TidemarkError) {
                let rows = try connection.table("SELECT pg_read_binary_file(\(SQL.literal(path)))")
                if let content = rows.binary(0, 0) { configuration.append((path, content)) }
            } catch {
                warnings.append("\(path) is not recorded: \(error.message); \(grant)")
            }
        }
    }

    private mutating func readExtensions(
        _ connection: borrowing Connection, _ configuration: PostgresConfiguration
    ) throws(TidemarkError) {
        let databases = try connection.table(
            "SELECT datname FROM pg_database WHERE datallowconn ORDER BY datname")
        for row in 0..<databases.count {
            guard let database = databases.text(row, 0) else { continue }
            do throws(TidemarkError) {
                let rows = try Connection(configuration, .sql(database: database)).table(
                    "SELECT extname, extversion FROM pg_extension")
                for row in 0..<rows.count {
                    guard let name = rows.text(row, 0) else { continue }
                    facts.extensions["\(database)/\(name)"] = rows.text(row, 1) ?? ""
                }
            } catch {
                warnings.append("extensions of database \(database) are not recorded: \(error.message)")
            }
        }
    }
}
