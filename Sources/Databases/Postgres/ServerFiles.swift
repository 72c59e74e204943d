import Model

/// Configuration files of a server that lie outside its data directory (Debian: /etc/postgresql).
///
/// BASE_BACKUP does not send them, and a server restored without them starts with other settings.
enum ServerFiles {
    /// Largest file and most files taken.
    static let limitBytes = 1 << 20
    static let limitFiles = 32

    /// The statement that lets `role` (already quoted) read them.
    static func grant(_ role: String) -> String {
        "GRANT pg_read_server_files TO \(role); "
            + "GRANT EXECUTE ON FUNCTION pg_read_binary_file(text) TO \(role);"
    }

    /// The files the server reads; nil when the role may not know.
    static func outside(_ connection: borrowing Connection) throws(TidemarkError) -> [String]? {
        let sets = try connection.rows(
            """
            SELECT setting FROM pg_settings WHERE name = 'data_directory';
            SELECT DISTINCT file FROM (
                SELECT sourcefile AS file FROM pg_settings
                UNION ALL SELECT setting FROM pg_settings
                    WHERE name IN ('config_file', 'hba_file', 'ident_file')) AS files
                WHERE file IS NOT NULL AND file <> '' ORDER BY 1
            """)
        guard sets.count == 2, let directory = sets[0].text(0, 0), !directory.isEmpty else {
            return nil
        }
        let files = (0..<sets[1].count).compactMap { sets[1].text($0, 0) }
        return Array(files.filter { !$0.hasPrefix(directory + "/") }.prefix(limitFiles))
    }
}
